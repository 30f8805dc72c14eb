#include "fastformer/classification/data_config.h"

#include <algorithm>
#include <stdexcept>

#include "fastformer/classification/readers/reader.h"

namespace fastformer::classification {
namespace {

void check_text_columns(const std::vector<std::string>& columns, const std::string& field,
                        const DataConfig& config) {
  if (std::ranges::find(columns, "") != columns.end()) {
    throw std::invalid_argument(field +
                                " contains an empty name; give the name or number of each column");
  }
  const auto check = [&](const char* label_field, const std::string& column) {
    if (std::ranges::find(columns, column) == columns.end()) return;
    throw std::invalid_argument(std::string(label_field) + " '" + column + "' is also in " + field +
                                "; the text would contain its label: remove it there");
  };
  check("data.label_column", config.label_column);
  for (const auto& column : config.label_columns) check("data.label_columns:", column);
}

// The columns of several labels.
void check_label_columns(const DataConfig& config) {
  auto columns = config.label_columns;
  std::ranges::sort(columns);
  if (std::ranges::find(columns, "") != columns.end() ||
      std::ranges::adjacent_find(columns) != columns.end()) {
    throw std::invalid_argument(
        "data.label_columns contains a column twice or an empty name; name each column once");
  }
  if (!columns.empty() && (!config.label_column.empty() || !config.label_separator.empty())) {
    throw std::invalid_argument(
        "data.label_columns names columns of 0 and 1, but data.label_column and label_separator "
        "one column with all labels; use one of the two");
  }
  if (config.multi_label && !config.label_column.empty() && config.label_separator.empty() &&
      (config.format == "csv" || config.format == "tsv")) {
    throw std::invalid_argument(
        "data.multi_label is true, but a column of " + config.format +
        " contains one string; set data.label_separator to the text between its labels, such as "
        "\";\"");
  }
}

void check_columns(const DataConfig& config) {
  if (config.text_columns.empty()) {
    throw std::invalid_argument("data.text_columns is empty, but the format '" + config.format +
                                "' needs at least one text column; add it");
  }
  auto columns = config.text_columns;
  check_text_columns(columns, "data.text_columns", config);
  check_text_columns(config.test_text_columns, "data.test_text_columns", config);
  check_label_columns(config);
  columns.insert(columns.end(), config.test_text_columns.begin(), config.test_text_columns.end());
  if (config.header != HeaderRow::kNo) return;
  for (const auto* column : {&config.label_column, &config.group_column}) {
    if (!column->empty()) columns.push_back(*column);
  }
  columns.insert(columns.end(), config.label_columns.begin(), config.label_columns.end());
  const auto name = std::find_if_not(columns.begin(), columns.end(), is_column_number);
  if (name != columns.end()) {
    throw std::invalid_argument(
        "data.header is \"no\", but the recipe refers to the column '" + *name +
        "' by name; use column numbers, starting with 1, or header = \"yes\"");
  }
}

void check_no_columns(const DataConfig& config) {
  const bool none = config.text_columns.empty() && config.test_text_columns.empty() &&
                    config.label_column.empty() && config.group_column.empty() &&
                    config.label_columns.empty() && config.label_separator.empty();
  if (!none) {
    throw std::invalid_argument(
        "data.text_columns, test_text_columns, label_column, label_columns, label_separator and "
        "group_column are for formats with columns such as csv; the format '" +
        config.format + "' has fixed columns: remove these fields");
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
        "data.validation lists files, so data.validation_fraction must be 0");
  }
  if (config.test_fraction > 0 && !config.test.empty()) {
    throw std::invalid_argument("data.test lists files, so data.test_fraction must be 0");
  }
  if (config.test.empty() && !config.test_text_columns.empty()) {
    throw std::invalid_argument(
        "data.test_text_columns is for separate test files; list them in data.test, or remove it");
  }
}

}  // namespace

void DataConfig::visit_fields(base::FieldVisitor& visit) {
  visit("format", format, "format of the files", base::one_of(reader_names()));
  visit("train", train, "files or folders with the training examples", base::file_path());
  visit("validation", validation,
        "files with the validation examples; default: validation_fraction of train",
        base::file_path());
  visit("test", test, "files with the test examples; default: test_fraction of train",
        base::file_path());
  visit("unlabelled", unlabelled,
        "files with more texts for train.teacher, in the format of train; csv, tsv and jsonl need "
        "no labels, and those of other formats are ignored",
        base::file_path());
  visit("text_columns", text_columns, "columns (names, or numbers from 1) joined into the text");
  visit("test_text_columns", test_text_columns,
        "text columns of the test files, if different; empty: text_columns");
  visit("text_columns_separator", text_columns_separator, "text between joined columns");
  visit("label_column", label_column, "column (name, or number from 1) of the label");
  visit("multi_label", multi_label,
        "whether a document has any number of labels: JSON lists, several __label__ words; the "
        "next two fields imply it");
  visit("label_separator", label_separator,
        "text between the labels in label_column, such as \";\"; empty: one label per document");
  visit("label_columns", label_columns,
        "columns that contain 1 if the document has the label of that name, else 0");
  visit("group_column", group_column,
        "column that identifies the group of a row; all rows of a group are in the same part");
  visit("header", header, "whether the first row of a csv or tsv names the columns");
  dialect.visit_fields(visit);
  encoding.visit_fields(visit);
  visit("bad_rows", bad_rows, "what to do with a row that cannot be read: stop (error) or skip it");
  visit("validation_fraction", validation_fraction, "fraction of train used for validation",
        base::between(0, 0.9));
  visit("test_fraction", test_fraction, "fraction of train used for test", base::between(0, 0.9));
  visit("stratify", stratify,
        "keep the class proportions in every part; of several labels those of the rarest ones");
  visit("split_seed", split_seed, "seed of the split");
  visit("max_tokens", max_tokens, "documents are truncated to this many tokens; 0: no limit",
        base::at_least(0));
  visit("imdb_labels", imdb_labels, "imdb: two classes, or the rating in the file name");
  visit("mind_body", mind_body, "mind: add the body column, if the file has one");
  visit("minimum_class_count", minimum_class_count,
        "classes with fewer training examples are dropped", base::at_least(1));
  visit("cache", cache, "folder of the token cache; empty: inside the run", base::file_path());
}

void DataConfig::validate() const {
  if (has_columns(format)) {
    check_columns(*this);
  } else {
    check_no_columns(*this);
  }
  check_parts(*this);
  dialect.validate();
}

bool is_column_number(std::string_view column) {
  return !column.empty() &&
         std::all_of(column.begin(), column.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string DataConfig::joined(const std::vector<std::string>& labels) const {
  std::string text;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    text += (i > 0 ? separator() : "") + labels[i];
  }
  return text;
}

DataConfig DataConfig::without_labels() const {
  DataConfig config = *this;
  config.multi_label = true;  // a document may have none
  // A column that has a name says that the files have a heading.
  auto columns = label_columns;
  columns.insert(columns.end(), {label_column, group_column});
  const bool named = std::ranges::any_of(
      columns, [](const auto& column) { return !column.empty() && !is_column_number(column); });
  if (named && header == HeaderRow::kAuto) config.header = HeaderRow::kYes;
  config.label_column.clear();
  config.label_separator.clear();
  config.label_columns.clear();
  config.group_column.clear();
  return config;
}

DataConfig DataConfig::for_test() const {
  DataConfig config = *this;
  if (!test_text_columns.empty()) config.text_columns = test_text_columns;
  return config;
}

}  // namespace fastformer::classification
