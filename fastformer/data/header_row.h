#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fastformer::data {

/// The columns of a table that a reader uses, by index from 0.
struct UsedColumns {
  std::vector<std::size_t> text;
  std::optional<std::size_t> label;
};

/// Whether the first of `rows` is a header. It is not if its label occurs again below. Otherwise it
/// is one if a word stands above a column of numbers, if it has usual column names ("label",
/// "text", ...), or if its cell in a label column is unique while the values below repeat, and its
/// text is one word that is shorter than those below. A single row is judged by its names only.
bool first_row_is_heading(std::span<const std::vector<std::string>> rows,
                          const UsedColumns& columns);

/// Whether the text is a number, ignoring white space around it.
bool is_number(std::string_view text);

}  // namespace fastformer::data
