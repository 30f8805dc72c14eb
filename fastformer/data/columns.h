#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/data/data_config.h"

namespace fastformer::data {

/// Positions (from 0) of the columns that a configuration names.
struct Columns {
  std::vector<std::size_t> text;
  std::optional<std::size_t> label;
  std::optional<std::size_t> group;
};

/// Whether `column` is a number ("2") and not a name.
bool is_column_number(std::string_view column);

/// Whether the first row names the columns. header = "yes" and "no" decide it. With "auto" it does
/// when the configuration names a column, or when the first row's label cell is a word that heads
/// label columns ("label", "class", "category", "topic", "rating", ...), in any case of letters.
bool first_row_is_header(const DataConfig& config, const std::vector<std::string>& first_row);

/// Finds the columns. A name is looked up in the header first, so that a column called "2" wins
/// over the second column. Throws std::invalid_argument for an unknown name (with the nearest one)
/// and for a number the row does not have.
Columns resolve_columns(const DataConfig& config, const std::vector<std::string>& first_row,
                        bool header, const std::string& where);

}  // namespace fastformer::data
