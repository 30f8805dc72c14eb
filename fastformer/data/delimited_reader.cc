#include "fastformer/data/delimited_reader.h"

#include <stdexcept>

namespace fastformer::data {

DelimitedReader::DelimitedReader(const DataConfig& config, const std::filesystem::path& file,
                                 char delimiter)
    : config_(config), records_(file, delimiter) {}

bool DelimitedReader::next_record() {
  if (!records_.next(cells_)) return false;
  if (column_count_ == 0) {
    const bool header = first_row_is_header(config_, cells_);
    columns_ = resolve_columns(config_, cells_, header, records_.where());
    column_count_ = cells_.size();
    if (header && !records_.next(cells_)) return false;
  }
  if (cells_.size() != column_count_) {
    const bool fewer = cells_.size() < column_count_;
    throw std::invalid_argument(records_.where() + ": has " + std::to_string(cells_.size()) +
                                " columns, but the first row has " + std::to_string(column_count_) +
                                (fewer ? "; complete or remove the row"
                                       : "; put text that holds the delimiter into double quotes"));
  }
  return true;
}

bool DelimitedReader::next(Example& example) {
  if (!next_record()) return false;
  example.text.clear();
  for (std::size_t i = 0; i < columns_.text.size(); ++i) {
    if (i > 0) example.text += config_.text_columns_separator;
    example.text += cells_[columns_.text[i]];
  }
  example.label = columns_.label ? cells_[*columns_.label] : std::string();
  example.group = columns_.group ? cells_[*columns_.group] : std::string();
  example.where = records_.where();
  return true;
}

}  // namespace fastformer::data
