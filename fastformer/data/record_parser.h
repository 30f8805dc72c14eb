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

/// Cuts lines into the records of a delimited file by RFC 4180: a cell may stand in quotes, and
/// then holds delimiters, line ends and, doubled or behind a backslash, quotes. Blanks around the
/// quotes are dropped. A quote inside a cell that does not begin with one is an ordinary character.
class RecordParser {
 public:
  using NextLine = std::function<bool(std::string&)>;

  /// `name` is that of the file, for messages; `line` the number of lines before the first.
  RecordParser(NextLine next_line, const Dialect& dialect, std::string name, std::int64_t line = 0)
      : next_line_(std::move(next_line)),
        dialect_(dialect),
        name_(std::move(name)),
        line_at_(line) {}

  /// A blank line has one empty cell. Line ends inside quotes become "\n". Throws BadRow for text
  /// after a closing quote, and std::invalid_argument for a quote that is never closed or makes
  /// a record longer than kMaximumRecordBytes.
  bool next(std::vector<std::string>& cells);

  /// "train.csv:17", the line where the record began.
  std::string where() const { return where(first_line_); }
  bool line_is_empty() const { return line_.empty(); }
  /// How many lines the record took.
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
  std::size_t record_bytes_ = 0;  ///< of the lines of the record that were read
};

/// The records of the first lines of a file; `bad` counts those that cannot be parsed. What the
/// last line leaves open is no record.
std::vector<std::vector<std::string>> parse_sample(std::span<const std::string> lines,
                                                   const Dialect& dialect,
                                                   std::int64_t* bad = nullptr);

}  // namespace fastformer::data
