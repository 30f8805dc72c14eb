#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/data/dialect.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/data/record_parser.h"

namespace fastformer::data {

/// The records of a CSV or TSV file, see RecordParser. What `config` leaves open in the dialect is
/// detected. Blank lines are skipped, except in a file with one column, where each is a record.
///
///   DelimitedRecords records("train.csv", ',');
///   for (std::vector<std::string> cells; records.next(cells);) use(cells, records.where());
///
/// Throws as LineStream and RecordParser do.
class DelimitedRecords {
 public:
  /// `delimiter`: the usual delimiter of the format.
  DelimitedRecords(const std::filesystem::path& file, char delimiter,
                   const TextEncoding& encoding = {}, const DialectConfig& config = {});
  DelimitedRecords(const DelimitedRecords&) = delete;
  DelimitedRecords& operator=(const DelimitedRecords&) = delete;

  bool next(std::vector<std::string>& cells);
  /// The file and the line where the record began: "train.csv:17".
  std::string where() const { return parser_.where(); }
  const std::string& name() const { return lines_.name(); }

  /// The records in the first 200 lines at most; next() returns these records too.
  std::vector<std::vector<std::string>> sample() const;
  const Dialect& dialect() const { return detected_.dialect; }
  /// Notices for the user: a detected delimiter, a cell of over 100 lines, replaced characters.
  std::vector<std::string> notices() const;

 private:
  bool next_line(std::string& line);

  LineStream lines_;
  std::vector<std::string> ahead_;  ///< lines that were read ahead for the detection
  std::size_t ahead_at_ = 0;
  DetectedDialect detected_;
  RecordParser parser_;
  std::size_t columns_ = 0;  ///< of the first record; 0 before it
  std::int64_t most_lines_ = 1;
  std::string longest_;  ///< where the record with most lines began
};

/// The number of cells in the rows of a table: that of the first row. Empty cells at the end of a
/// row do not count, unless they are among the first `used`.
class RowWidth {
 public:
  RowWidth(const std::vector<std::string>& first_row, std::size_t used);

  /// Gives the row as many cells as all have; false if it has fewer, or more than most().
  bool fit(std::vector<std::string>& row) const;
  std::size_t least() const { return least_; }
  std::size_t most() const { return most_; }

 private:
  std::size_t least_ = 0, most_ = 0;
};

/// Splits `line` at the delimiters into `cells`, whose memory is reused. An empty line has one
/// empty cell. For tables without quoting.
void split_cells(std::string_view line, char delimiter, std::vector<std::string_view>& cells);

}  // namespace fastformer::data
