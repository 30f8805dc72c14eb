#include "fastformer/data/data_config.h"

#include <algorithm>
#include <stdexcept>

#include "fastformer/data/columns.h"

namespace fastformer::data {
namespace {

void check_text_columns(const std::vector<std::string>& columns, const std::string& field,
                        const std::string& label_column) {
  if (std::find(columns.begin(), columns.end(), "") != columns.end()) {
    throw std::invalid_argument(field + " holds an empty name; name each column");
  }
  if (std::find(columns.begin(), columns.end(), label_column) != columns.end()) {
    throw std::invalid_argument("data.label_column '" + label_column + "' is also in " + field +
                                "; the text would hold its label");
  }
}

void check_columns(const DataConfig& config) {
  if (config.text_columns.empty()) {
    throw std::invalid_argument("data.text_columns is empty, but the format '" + config.format +
                                "' needs at least one column to read the text from");
  }
  auto columns = config.text_columns;
  check_text_columns(columns, "data.text_columns", config.label_column);
  check_text_columns(config.test_text_columns, "data.test_text_columns", config.label_column);
  columns.insert(columns.end(), config.test_text_columns.begin(), config.test_text_columns.end());
  if (config.format == "jsonl" || config.header != "no") return;
  for (const auto* column : {&config.label_column, &config.group_column}) {
    if (!column->empty()) columns.push_back(*column);
  }
  const auto name = std::find_if_not(columns.begin(), columns.end(), is_column_number);
  if (name != columns.end()) {
    throw std::invalid_argument("data.header is \"no\", but the column '" + *name +
                                "' is a name; use numbers from 1, or header = \"yes\"");
  }
}

void check_no_columns(const DataConfig& config) {
  const bool none = config.text_columns.empty() && config.test_text_columns.empty() &&
                    config.label_column.empty() && config.group_column.empty();
  if (!none) {
    throw std::invalid_argument(
        "data.text_columns, test_text_columns, label_column and group_column are for csv, "
        "tsv and jsonl; the format '" +
        config.format + "' has its own, remove them");
  }
}

void check_parts(const DataConfig& config) {
  const auto in_range = [](double fraction) { return fraction >= 0 && fraction < 1; };
  if (!in_range(config.validation_fraction) || !in_range(config.test_fraction) ||
      config.validation_fraction + config.test_fraction > 0.95) {
    throw std::invalid_argument(
        "data.validation_fraction and data.test_fraction must be at least 0 and together at most "
        "0.95, so that training examples remain");
  }
  if (config.validation_fraction > 0 && !config.validation.empty()) {
    throw std::invalid_argument(
        "data.validation names files, so data.validation_fraction must be 0");
  }
  if (config.test_fraction > 0 && !config.test.empty()) {
    throw std::invalid_argument("data.test names files, so data.test_fraction must be 0");
  }
  if (config.test.empty() && !config.test_text_columns.empty()) {
    throw std::invalid_argument(
        "data.test_text_columns is for test files of their own; name them in data.test");
  }
}

}  // namespace

void DataConfig::validate() const {
  if (format == "csv" || format == "tsv" || format == "jsonl") {
    check_columns(*this);
  } else {
    check_no_columns(*this);
  }
  check_parts(*this);
  if (max_tokens < 0) throw std::invalid_argument("data.max_tokens must be at least 0 (no limit)");
  if (minimum_class_count < 1) {
    throw std::invalid_argument("data.minimum_class_count must be at least 1");
  }
}

DataConfig DataConfig::for_test() const {
  DataConfig config = *this;
  if (!test_text_columns.empty()) config.text_columns = test_text_columns;
  return config;
}

}  // namespace fastformer::data
