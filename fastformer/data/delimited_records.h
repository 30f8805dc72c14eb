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

/// The records of a csv or tsv file, see RecordParser; its dialect is detected where `config`
/// leaves it open. Blank lines are skipped, except in a file of one column, where each is a record.
///
///   DelimitedRecords records("train.csv", ',');
///   for (std::vector<std::string> cells; records.next(cells);) use(cells, records.where());
///
/// Throws what LineStream and RecordParser throw.
class DelimitedRecords {
 public:
  /// `delimiter` is the usual one of the format.
  DelimitedRecords(const std::filesystem::path& file, char delimiter,
                   const TextEncoding& encoding = {}, const DialectConfig& config = {});
  DelimitedRecords(const DelimitedRecords&) = delete;
  DelimitedRecords& operator=(const DelimitedRecords&) = delete;

  bool next(std::vector<std::string>& cells);
  /// "train.csv:17", the line where the record began.
  std::string where() const { return parser_.where(); }
  const std::string& name() const { return lines_.name(); }

  /// The first records, up to two hundred lines of them; they are not taken from next().
  std::vector<std::vector<std::string>> sample() const;
  const Dialect& dialect() const { return detected_.dialect; }
  /// What was detected and replaced so far, a sentence each, and a record of very many lines.
  std::vector<std::string> notices() const;

 private:
  bool next_line(std::string& line);

  LineStream lines_;
  std::vector<std::string> ahead_;  ///< lines that were read for detecting
  std::size_t ahead_at_ = 0;
  DetectedDialect detected_;
  RecordParser parser_;
  std::size_t columns_ = 0;  ///< of the first record; 0 before it
  std::int64_t most_lines_ = 1;
  std::string longest_;  ///< where the record of most lines began
};

/// How many cells the rows of a table have: as many as the first one. Empty cells at the end of a
/// row are none, unless they are among the first `used`.
class RowWidth {
 public:
  RowWidth() = default;
  RowWidth(const std::vector<std::string>& first_row, std::size_t used);

  /// Gives the row as many cells as all have; false where it has fewer, or more than most().
  bool fit(std::vector<std::string>& row) const;
  std::size_t least() const { return least_; }
  std::size_t most() const { return most_; }

 private:
  std::size_t least_ = 0, most_ = 0;
};

/// Puts the parts of `line` between the delimiters into `cells`, whose memory is reused; an empty
/// line has one empty cell. For tables that are never quoted.
void split_cells(std::string_view line, char delimiter, std::vector<std::string_view>& cells);

}  // namespace fastformer::data
