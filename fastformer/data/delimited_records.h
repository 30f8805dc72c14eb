#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/data/line_stream.h"

namespace fastformer::data {

/// The records of a csv or tsv file by RFC 4180: a field may stand in double quotes, and then holds
/// delimiters, line ends and, doubled, quotes; a backslash means nothing. A quote inside a field
/// that does not begin with one is an ordinary character. Blank lines are skipped.
///
///   DelimitedRecords records("train.csv", ',');
///   for (std::vector<std::string> cells; records.next(cells);) use(cells, records.where());
///
/// Line ends inside quotes become "\n". Throws std::invalid_argument with file and line for a quote
/// that is never closed (the line where it opens), text after a closing quote, text that is not
/// UTF-8, and a record above kMaximumRecordBytes.
class DelimitedRecords {
 public:
  DelimitedRecords(const std::filesystem::path& file, char delimiter)
      : lines_(file), delimiter_(delimiter) {}

  bool next(std::vector<std::string>& cells);
  /// "train.csv:17", the line where the record began.
  std::string where() const { return lines_.where(first_line_); }

 private:
  bool read_line();
  std::size_t read_plain(std::size_t at, std::string& cell) const;
  std::size_t read_quoted(std::size_t at, std::string& cell);

  LineStream lines_;
  char delimiter_;
  std::string line_;
  std::int64_t first_line_ = 0;
  std::size_t record_bytes_ = 0;  ///< of the lines of the record that were read
};

/// Puts the parts of `line` between the delimiters into `cells`, whose memory is reused; an empty
/// line has one empty cell. For tables that are never quoted.
void split_cells(std::string_view line, char delimiter, std::vector<std::string_view>& cells);

}  // namespace fastformer::data
