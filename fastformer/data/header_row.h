#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fastformer::data {

/// The columns of a table that a reader uses, by position.
struct UsedColumns {
  std::vector<std::size_t> text;
  std::optional<std::size_t> label;
};

/// Whether the first of `rows` names the columns, by what stands below it: a cell that comes again
/// below is a value; a word above numbers is a name, and so is a cell that never comes again above
/// labels that do, where the text beside it is shorter than the texts below. Words that usually
/// head columns ("label", "text", ...) decide only where the rest says nothing.
bool first_row_is_heading(std::span<const std::vector<std::string>> rows,
                          const UsedColumns& columns);

/// Whether the text is a number, blanks around it aside.
bool is_number(std::string_view text);

}  // namespace fastformer::data
