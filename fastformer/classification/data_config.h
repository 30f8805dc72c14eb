#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/data/bad_row.h"
#include "fastformer/data/dialect.h"
#include "fastformer/data/text_encoding.h"

namespace fastformer::classification {

/// Whether the first row of a CSV or TSV file contains the names of the columns.
enum class HeaderRow : std::uint8_t { kAuto, kYes, kNo };

/// The labels of the IMDB reviews.
enum class ImdbLabels : std::uint8_t { kClasses, kRatings };

/// The recipe's [data] section: the files of the examples and how they are split.
struct DataConfig {
  std::string format = "csv";
  std::vector<std::string> train;
  std::vector<std::string> validation;
  std::vector<std::string> test;
  std::vector<std::string> unlabelled;
  std::string text_columns_separator = " ";
  std::vector<std::string> text_columns;
  std::vector<std::string> test_text_columns;
  std::string label_column;
  bool multi_label = false;
  std::string label_separator;
  std::vector<std::string> label_columns;
  std::string group_column;
  HeaderRow header = HeaderRow::kAuto;
  data::DialectConfig dialect;
  data::TextEncoding encoding;
  data::BadRows bad_rows = data::BadRows::kError;
  double validation_fraction = 0.0;
  double test_fraction = 0.0;
  bool stratify = true;
  std::int64_t split_seed = 1;
  std::int64_t max_tokens = 512;
  ImdbLabels imdb_labels = ImdbLabels::kClasses;
  bool mind_body = false;
  std::int64_t minimum_class_count = 1;
  std::string cache;

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;

  /// Whether a document has any number of labels, and not one class.
  bool several_labels() const {
    return multi_label || !label_separator.empty() || !label_columns.empty();
  }
  /// The text between labels in output: label_separator or ";".
  std::string separator() const { return label_separator.empty() ? ";" : label_separator; }
  /// Labels in one text, with the separator between them.
  std::string joined(const std::vector<std::string>& labels) const;
  /// The configuration for reading the test files: with test_text_columns as the text columns.
  DataConfig for_test() const;
  /// The configuration for reading the unlabelled files: their labels, if any, are ignored.
  DataConfig without_labels() const;
};

/// Whether `column` is the number of a column ("2") instead of a name.
bool is_column_number(std::string_view column);

}  // namespace fastformer::classification

namespace fastformer::base {
template <>
inline constexpr std::array kWords<classification::HeaderRow> = {"auto", "yes", "no"};
template <>
inline constexpr std::array kWords<classification::ImdbLabels> = {"classes", "ratings"};
}  // namespace fastformer::base
