#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fastformer::cli {

/// The parts of the cells of a column between separators, such as "a;b;c".
struct ListProfile {
  void add(std::string_view cell, char separator);
  /// Whether parts come often, in cells of which at least a tenth has several.
  bool repeats(std::int64_t filled) const;

  std::int64_t lists = 0, parts = 0;  ///< cells with a separator; parts of all cells
  bool overflow = false;              ///< more different parts than are counted
  std::map<std::string, std::int64_t, std::less<>> counts;
};

/// A column that seems to hold several labels.
struct LabelList {
  std::size_t column;
  char separator;  ///< '[': JSON lists
};

/// What the cells of a column are.
struct ColumnProfile {
  explicit ColumnProfile(std::string column) : name(std::move(column)) {}

  void add(std::string_view cell);
  /// "whole numbers", "numbers", "texts", "words" or "empty".
  std::string type() const;
  bool is_text() const;
  double mean_bytes() const;
  std::int64_t filled() const { return rows - empty; }
  /// Different values, up to a limit.
  std::size_t distinct() const { return counts.size(); }
  bool too_many() const { return overflow; }
  /// Whether the column is called so, as in "label" or "topic".
  bool is_called_label() const;
  /// Whether all cells are 0 or 1, some of them 1.
  bool is_flag() const;
  /// What stands between the labels of a cell, if they are several; '[' for JSON lists.
  std::optional<char> list_separator() const;

  std::string name, example;
  std::int64_t rows = 0, empty = 0, numbers = 0, whole_numbers = 0, spaced = 0, bytes = 0;
  bool overflow = false;  ///< more different values than are counted
  std::map<std::string, std::int64_t, std::less<>> counts;
  std::map<char, ListProfile> lists;  ///< by separator
};

/// The columns of a table, row by row.
class TableProfile {
 public:
  void set_columns(const std::vector<std::string>& names);
  /// Rows of fields by name, whose columns are those that were met.
  void add_field(const std::string& name, std::string_view value);
  void end_row() { ++rows_; }
  void add_row(const std::vector<std::string>& cells);

  const std::vector<ColumnProfile>& columns() const { return columns_; }
  std::int64_t rows() const { return rows_; }

  /// The column of the longest texts; nothing where none has texts.
  std::optional<std::size_t> text_column() const;
  /// The column, other than `text`, whose few values come often; nothing where there is none.
  std::optional<std::size_t> label_column(std::size_t text) const;
  /// The column, other than `text`, that seems to hold several labels, unless another column is
  /// called a label and holds one.
  std::optional<LabelList> label_list(std::size_t text) const;
  /// Two or more columns of 0 and 1 that seem to be a label each, unless another column is called a
  /// label.
  std::vector<std::size_t> flag_columns(std::size_t text) const;

 private:
  std::vector<ColumnProfile> columns_;
  std::unordered_map<std::string, std::size_t> places_;  ///< in columns_, of add_field()
  std::int64_t rows_ = 0;
};

}  // namespace fastformer::cli
