#include "fastformer/data/columns.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "fastformer/base/suggest.h"

namespace fastformer::data {
namespace {

constexpr std::array<std::string_view, 14> kLabelHeadings = {
    "label", "labels", "class",  "class index", "class_index", "category", "target",
    "topic", "y",      "rating", "sentiment",   "stars",       "score",    "overall"};

std::string lowercase_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// The position a number means; 0 stands for one that no file has.
std::size_t column_number(std::string_view column) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(column.data(), column.data() + column.size(), number);
  return error == std::errc() && end == column.data() + column.size() ? number : 0;
}

std::size_t resolve(const std::string& column, const std::vector<std::string>& first_row,
                    bool header, const std::string& where) {
  if (header) {
    const auto found = std::find(first_row.begin(), first_row.end(), column);
    if (found != first_row.end()) return static_cast<std::size_t>(found - first_row.begin());
  }
  if (!is_column_number(column)) {
    throw std::invalid_argument(where + ": there is no column '" + column + "'" +
                                (header ? base::suggestion(column, first_row)
                                        : "; the file has no header, use numbers from 1"));
  }
  const std::size_t number = column_number(column);
  if (number < 1 || number > first_row.size()) {
    throw std::invalid_argument(
        where + ": there is no column " + column + ", the row has columns " + "1 to " +
        std::to_string(first_row.size()) + "; check the numbers and the format (csv or tsv)");
  }
  return number - 1;
}

}  // namespace

bool is_column_number(std::string_view column) {
  return !column.empty() &&
         std::all_of(column.begin(), column.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool first_row_is_header(const DataConfig& config, const std::vector<std::string>& first_row) {
  if (config.header != "auto") return config.header == "yes";
  const auto is_name = [](const std::string& column) {
    return !column.empty() && !is_column_number(column);
  };
  if (std::any_of(config.text_columns.begin(), config.text_columns.end(), is_name) ||
      is_name(config.label_column) || is_name(config.group_column)) {
    return true;
  }
  const std::size_t label = column_number(config.label_column);
  if (label < 1 || label > first_row.size()) return false;
  const std::string cell = lowercase_ascii(first_row[label - 1]);
  return std::find(kLabelHeadings.begin(), kLabelHeadings.end(), cell) != kLabelHeadings.end();
}

Columns resolve_columns(const DataConfig& config, const std::vector<std::string>& first_row,
                        bool header, const std::string& where) {
  Columns columns;
  for (const auto& column : config.text_columns) {
    columns.text.push_back(resolve(column, first_row, header, where));
  }
  if (!config.label_column.empty()) {
    columns.label = resolve(config.label_column, first_row, header, where);
  }
  if (!config.group_column.empty()) {
    columns.group = resolve(config.group_column, first_row, header, where);
  }
  return columns;
}

}  // namespace fastformer::data
