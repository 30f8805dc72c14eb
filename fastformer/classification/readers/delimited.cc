#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/formats.h"
#include "fastformer/data/delimited_records.h"

namespace fastformer::classification {
namespace {

// Positions (from 0) of the columns that a configuration names.
struct Columns {
  std::vector<std::size_t> text;
  std::optional<std::size_t> label;
  std::optional<std::size_t> group;
};

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

// The position for a number; 0 is in no file.
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

// Whether the first row names the columns. header = "yes" and "no" decide it. With "auto" it does
// when the configuration names a column, or when the first row's label cell is a word that heads
// label columns ("label", "class", "category", "topic", "rating", ...), in any case of letters.
bool first_row_is_header(const DataConfig& config, const std::vector<std::string>& first_row) {
  if (config.header != HeaderRow::kAuto) return config.header == HeaderRow::kYes;
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

// Finds the columns. A name is looked up in the header first, so that a column called "2" wins
// over the second column. Throws std::invalid_argument for an unknown name (with the nearest one)
// and for a number the row does not have.
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

class DelimitedReader final : public Reader {
 public:
  DelimitedReader(const DataConfig& config, const std::filesystem::path& file, char delimiter)
      : config_(config), records_(file, delimiter) {}
  bool next(Example& example) override;

 private:
  bool next_record();

  DataConfig config_;
  data::DelimitedRecords records_;
  std::vector<std::string> cells_;
  std::size_t column_count_ = 0;  ///< 0 before the first record
  Columns columns_;
};

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

}  // namespace

std::unique_ptr<Reader> open_csv(const DataConfig& config, const std::filesystem::path& file) {
  return std::make_unique<DelimitedReader>(config, file, ',');
}

std::unique_ptr<Reader> open_tsv(const DataConfig& config, const std::filesystem::path& file) {
  return std::make_unique<DelimitedReader>(config, file, '\t');
}

}  // namespace fastformer::classification
