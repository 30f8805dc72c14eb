#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/data/line_stream.h"

namespace fastformer::data {

/// One atomic file of RecBole, line by line.
///
///   RecboleTable table("ml-100k.item");
///   const auto title = table.column("movie_title");
///   while (table.next()) use(table.cell(title));
class RecboleTable {
 public:
  /// Throws std::invalid_argument, as next() does, with file and line.
  explicit RecboleTable(const std::filesystem::path& file);

  /// The position of a column, whose type in the heading does not matter. column() throws
  /// std::invalid_argument with the nearest name for one that is not there.
  std::size_t column(const std::string& name) const;
  std::optional<std::size_t> find_column(const std::string& name) const;

  /// Refuses a line of another number of columns than the heading has.
  bool next();
  std::string_view cell(std::size_t column) const { return cells_[column]; }
  /// Throws std::invalid_argument for a cell that is no finite number.
  double number(std::size_t column) const;
  std::string where() const { return lines_.where(); }

 private:
  LineStream lines_;
  std::vector<std::string> names_;
  std::string line_;
  std::vector<std::string_view> cells_;
};

}  // namespace fastformer::data
