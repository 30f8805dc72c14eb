#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/data/columns.h"
#include "fastformer/data/delimited_records.h"
#include "fastformer/data/reader.h"

namespace fastformer::data {

/// csv and tsv: each record an example; the text columns are joined by text_columns_separator.
/// Every record must have as many columns as the first: an unquoted delimiter inside a text would
/// else cut the text without a word.
class DelimitedReader final : public Reader {
 public:
  DelimitedReader(const DataConfig& config, const std::filesystem::path& file, char delimiter);
  bool next(Example& example) override;

 private:
  bool next_record();

  DataConfig config_;
  DelimitedRecords records_;
  std::vector<std::string> cells_;
  std::size_t column_count_ = 0;  ///< 0 before the first record
  Columns columns_;
};

}  // namespace fastformer::data
