#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/ascii.h"
#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"
#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/formats.h"
#include "fastformer/data/bad_row.h"
#include "fastformer/data/delimited_records.h"
#include "fastformer/data/header_row.h"

namespace fastformer::classification {
namespace {

// Positions (from 0) of the columns that a configuration names.
struct Columns {
  std::vector<std::size_t> text;
  std::optional<std::size_t> label;
  std::vector<std::size_t> labels;  // of data.label_columns
  std::optional<std::size_t> group;

  // How many columns a row must have to hold these.
  std::size_t count_used() const {
    std::size_t last = std::max(label.value_or(0), group.value_or(0));
    for (const auto column : text) last = std::max(last, column);
    for (const auto column : labels) last = std::max(last, column);
    return last + 1;
  }
};

// The position for a number; 0 is in no file.
std::size_t column_number(std::string_view column) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(column.data(), column.data() + column.size(), number);
  return error == std::errc() && end == column.data() + column.size() ? number : 0;
}

// Names why a row of one cell, which is not the column, has no more of them.
void refuse_undivided(const std::string& column, const std::string& cell,
                      const std::string& where) {
  if (column_number(column) == 1) return;
  const bool fasttext = cell.starts_with("__label__");
  throw std::invalid_argument(
      where + ": there is no column '" + column + "', the row is one cell '" + base::excerpt(cell) +
      "'; " +
      (fasttext ? "for fastText's lines set data.format = \"fasttext\" and remove "
                  "data.text_columns and data.label_column"
                : "name the column, or name with data.delimiter what separates the cells"));
}

std::size_t resolve(const std::string& column, const std::vector<std::string>& first_row,
                    bool header, const std::string& where) {
  if (header) {
    const auto found = std::find(first_row.begin(), first_row.end(), column);
    if (found != first_row.end() &&
        std::find(found + 1, first_row.end(), column) != first_row.end()) {
      throw std::invalid_argument(where + ": several columns are named '" + column +
                                  "'; name the column by its number, from 1, or rename the others");
    }
    if (found != first_row.end()) return static_cast<std::size_t>(found - first_row.begin());
  }
  if (first_row.size() == 1) refuse_undivided(column, first_row.front(), where);
  if (!is_column_number(column)) {
    throw std::invalid_argument(where + ": there is no column '" + column + "'" +
                                (header ? base::suggestion(column, first_row)
                                        : "; the file has no header, use numbers from 1"));
  }
  const std::size_t number = column_number(column);
  if (number < 1 || number > first_row.size()) {
    throw std::invalid_argument(
        where + ": there is no column " + column + ", but the row has columns " + "1 to " +
        std::to_string(first_row.size()) + "; check the numbers and the format (csv or tsv)");
  }
  return number - 1;
}

// Whether the configuration names a column, which only a heading can give.
bool names_a_column(const DataConfig& config) {
  const auto is_name = [](const std::string& column) {
    return !column.empty() && !is_column_number(column);
  };
  return std::ranges::any_of(config.text_columns, is_name) ||
         std::ranges::any_of(config.label_columns, is_name) || is_name(config.label_column) ||
         is_name(config.group_column);
}

// What a notice shows of the first row.
std::string cells_text(const std::vector<std::string>& cells) {
  std::string text;
  for (const auto& cell : cells) text += (text.empty() ? "'" : ", '") + cell + "'";
  return base::excerpt(text);
}

// Blanks around the names of columns are no part of them.
void trim(std::string& text) { text = std::string(base::trimmed(text)); }

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
  for (const auto& column : config.label_columns) {
    columns.labels.push_back(resolve(column, first_row, header, where));
  }
  if (!config.group_column.empty()) {
    columns.group = resolve(config.group_column, first_row, header, where);
  }
  return columns;
}

class DelimitedReader final : public Reader {
 public:
  DelimitedReader(const DataConfig& config, const std::filesystem::path& file, char delimiter)
      : config_(config), records_(file, delimiter, config.encoding, config.dialect) {}
  bool next(Example& example) override;
  std::vector<Field> fields() const override;
  std::vector<std::string> notices() const override;

 private:
  bool begin();
  bool is_heading(const std::vector<std::string>& first_row);
  void check_width();

  DataConfig config_;
  data::DelimitedRecords records_;
  std::vector<std::string> names_;  ///< of the columns; empty: the file has no heading
  std::vector<std::string> cells_;
  std::optional<data::RowWidth> width_;  ///< nothing before the first record
  Columns columns_;
  std::string notice_;
};

// header = "yes" and "no" decide it. With "auto" the first row is a heading when the configuration
// names a column, or when it differs from the rows below it as headings do.
bool DelimitedReader::is_heading(const std::vector<std::string>& first_row) {
  if (config_.header != HeaderRow::kAuto) return config_.header == HeaderRow::kYes;
  if (names_a_column(config_)) return true;
  const auto rows = records_.sample();
  const auto columns = resolve_columns(config_, first_row, /*header=*/false, records_.where());
  const bool heading =
      data::first_row_is_heading(rows, {.text = columns.text, .label = columns.label});
  if (heading) {
    notice_ = records_.where() + ": the first row (" + cells_text(first_row) +
              ") is read as column names; data.header = \"no\" reads it as data";
  }
  return heading;
}

// Reads what stands before the first example; false where that is all.
bool DelimitedReader::begin() {
  if (!records_.next(cells_)) return false;
  const bool header = is_heading(cells_);
  if (header) {
    for (auto& cell : cells_) trim(cell);
    names_ = cells_;
  }
  columns_ = resolve_columns(config_, cells_, header, records_.where());
  width_.emplace(cells_, columns_.count_used());
  return !header || records_.next(cells_);
}

void DelimitedReader::check_width() {
  if (width_->fit(cells_)) return;
  const auto count = cells_.size();
  throw data::BadRow(records_.where() + ": has " + std::to_string(count) +
                     " columns, but the first row has " + std::to_string(width_->most()) +
                     (count < width_->least()
                          ? "; complete or remove the row"
                          : "; put text that contains the delimiter into double quotes") +
                     ", or set data.bad_rows = \"skip\"");
}

bool DelimitedReader::next(Example& example) {
  if (!width_ ? !begin() : !records_.next(cells_)) return false;
  check_width();
  if (!names_.empty() && cells_ == names_) {
    throw data::BadRow(records_.where() +
                       ": repeats the column names of the first row; remove the row, or set "
                       "data.bad_rows = \"skip\"");
  }
  example.text.clear();
  for (std::size_t i = 0; i < columns_.text.size(); ++i) {
    if (i > 0) example.text += config_.text_columns_separator;
    example.text += cells_[columns_.text[i]];
  }
  example.label = columns_.label ? cells_[*columns_.label] : std::string();
  split_label(example, config_.label_separator);
  for (std::size_t i = 0; i < columns_.labels.size(); ++i) {
    const auto& name = config_.label_columns[i];
    if (is_set(cells_[columns_.labels[i]], name, records_.where())) example.labels.push_back(name);
  }
  example.group = columns_.group ? cells_[*columns_.group] : std::string();
  example.where = records_.where();
  return true;
}

std::vector<Field> DelimitedReader::fields() const {
  std::vector<Field> fields;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const bool named = i < names_.size() && !names_[i].empty();
    fields.push_back(
        {.name = named ? names_[i] : "column_" + std::to_string(i + 1), .value = cells_[i]});
  }
  return fields;
}

std::vector<std::string> DelimitedReader::notices() const {
  auto notices = records_.notices();
  if (!notice_.empty()) notices.push_back(notice_);
  return notices;
}

}  // namespace

std::unique_ptr<Reader> open_csv(const DataConfig& config, const std::filesystem::path& file) {
  return std::make_unique<DelimitedReader>(config, file, ',');
}

std::unique_ptr<Reader> open_tsv(const DataConfig& config, const std::filesystem::path& file) {
  return std::make_unique<DelimitedReader>(config, file, '\t');
}

}  // namespace fastformer::classification
