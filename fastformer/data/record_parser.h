#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/data/dialect.h"

namespace fastformer::data {

/// Splits the lines of a delimited file into records as RFC 4180 specifies. A quoted cell can
/// contain delimiters, line ends and escaped quotes. Blanks around the quotes are dropped. A quote
/// inside a cell that does not begin with one is an ordinary character.
class RecordParser {
 public:
  using NextLine = std::function<bool(std::string&)>;

  /// `name`: the file, for messages. `line`: the number of lines already read from it.
  RecordParser(NextLine next_line, const Dialect& dialect, std::string name, std::int64_t line = 0)
      : next_line_(std::move(next_line)),
        dialect_(dialect),
        name_(std::move(name)),
        line_at_(line) {}

  /// Reads the next record; false at the end. A blank line has one empty cell. Line ends inside
  /// quotes become "\n". Throws BadRow for text after a closing quote, std::invalid_argument for a
  /// quote that is never closed or that makes a record longer than kMaximumRecordBytes.
  bool next(std::vector<std::string>& cells);

  /// The file and the line where the record began: "train.csv:17".
  std::string where() const { return where(first_line_); }
  bool line_is_empty() const { return line_.empty(); }
  /// Number of lines of the record.
  std::int64_t lines() const { return line_at_ - first_line_ + 1; }

 private:
  std::string where(std::int64_t line) const { return name_ + ":" + std::to_string(line); }
  bool read_line();
  std::size_t read_plain(std::size_t at, std::string& cell) const;
  std::size_t read_quoted(std::size_t at, std::string& cell);
  std::size_t quote_at(std::size_t at) const;
  std::size_t behind_blanks(std::size_t at) const;

  NextLine next_line_;
  Dialect dialect_;
  std::string name_;
  std::int64_t line_at_, first_line_ = 0;
  std::string line_;
  std::size_t record_bytes_ = 0;  ///< of the lines read for the record so far
};

/// The records in the first lines of a file. `bad`, if not null, receives the number of records
/// that cannot be parsed. A record that is incomplete after the last line is ignored.
std::vector<std::vector<std::string>> parse_sample(std::span<const std::string> lines,
                                                   const Dialect& dialect,
                                                   std::int64_t* bad = nullptr);

}  // namespace fastformer::data
