#pragma once

#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"

namespace fastformer::base {

/// A table of rows with a `name`, such as the readers of a task. Programs can add rows.
///
///   Registry<ReaderRow>& readers() {
///     static Registry<ReaderRow> rows("data.format", {{"csv", open_csv}, {"jsonl", open_jsonl}});
///     return rows;
///   }
///
/// Add rows before other threads use the table.
template <class Row>
class Registry {
 public:
  /// `field` is the recipe field that selects a row, for messages.
  Registry(std::string field, std::deque<Row> rows)
      : field_(std::move(field)), rows_(std::move(rows)) {}

  /// Throws std::invalid_argument if the name is already in use.
  void add(Row row) {
    if (contains(row.name)) {
      throw std::invalid_argument("'" + std::string(row.name) + "' is already a " + field_ +
                                  "; choose another name");
    }
    rows_.push_back(std::move(row));
  }

  bool contains(std::string_view name) const {
    for (const auto& row : rows_) {
      if (name == row.name) return true;
    }
    return false;
  }

  /// Throws std::invalid_argument for an unknown name and suggests the nearest one.
  const Row& find(std::string_view name) const {
    for (const auto& row : rows_) {
      if (name == row.name) return row;
    }
    throw std::invalid_argument(field_ + " cannot be '" + excerpt(name) + "'" +
                                suggestion(name, names()));
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& row : rows_) names.emplace_back(row.name);
    return names;
  }

  const std::deque<Row>& rows() const { return rows_; }

 private:
  std::string field_;
  std::deque<Row> rows_;  ///< a deque, so that references to rows stay valid
};

}  // namespace fastformer::base
