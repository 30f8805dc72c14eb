#include "fastformer/data/header_row.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <string_view>

#include "fastformer/base/ascii.h"

namespace fastformer::data {
namespace {

using Rows = std::span<const std::vector<std::string>>;

constexpr std::array<std::string_view, 29> kHeadings = {
    "label", "labels",   "class",   "class index", "class_index", "category", "target",  "topic",
    "y",     "rating",   "ratings", "sentiment",   "stars",       "score",    "overall", "text",
    "texts", "review",   "reviews", "sentence",    "title",       "body",     "content", "comment",
    "tweet", "document", "message", "description", "question"};

std::string_view cell(const std::vector<std::string>& row, std::size_t column) {
  return column < row.size() ? base::trimmed(row[column]) : std::string_view();
}

bool is_usual_heading(std::string_view text) {
  return std::ranges::find(kHeadings, base::ascii_lowercase(text)) != kHeadings.end();
}

// A word above numbers.
bool heads_numbers(Rows rows, std::size_t column) {
  if (is_number(cell(rows[0], column)) || cell(rows[0], column).empty()) return false;
  return std::all_of(rows.begin() + 1, rows.end(),
                     [&](const auto& row) { return is_number(cell(row, column)); });
}

// How the first cell of a column relates to those below it.
struct Column {
  bool repeated = false;       // it comes again
  bool below_repeats = false;  // nine of ten values below come more than once
};

Column compare(Rows rows, std::size_t column) {
  std::map<std::string_view, std::int64_t> counts;
  for (const auto& row : rows.subspan(1)) ++counts[cell(row, column)];
  std::int64_t repeated_rows = 0;
  for (const auto& [value, count] : counts) {
    if (count > 1) repeated_rows += count;
  }
  return {.repeated = counts.contains(cell(rows[0], column)),
          .below_repeats = 10 * repeated_rows >= 9 * static_cast<std::int64_t>(rows.size() - 1)};
}

// One word that is shorter than nine of ten texts below.
bool is_short_word(Rows rows, std::size_t column) {
  const auto first = cell(rows[0], column);
  if (first.empty() || first.find_first_of(" \t\n") != std::string_view::npos) return false;
  const auto longer = std::count_if(rows.begin() + 1, rows.end(), [&](const auto& row) {
    return cell(row, column).size() > first.size();
  });
  return 10 * longer >= 9 * static_cast<std::int64_t>(rows.size() - 1);
}

}  // namespace

bool is_number(std::string_view text) {
  text = base::trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end && !text.empty() &&
         text.find_first_of("0123456789") != std::string_view::npos;
}

bool first_row_is_heading(Rows rows, const UsedColumns& columns) {
  if (rows.empty()) return false;
  const auto is_text = [&](std::size_t column) {
    return std::ranges::find(columns.text, column) != columns.text.end();
  };
  // Without a known label each column beside the text may be it.
  std::vector<std::size_t> labels;
  for (std::size_t column = 0; column < rows[0].size(); ++column) {
    if (columns.label ? column == *columns.label : !is_text(column)) labels.push_back(column);
  }
  const auto first = [&](std::size_t column) { return cell(rows[0], column); };
  const auto is_usual = [&](std::size_t column) { return is_usual_heading(first(column)); };
  const bool usual =
      columns.label ? is_usual(*columns.label) : std::ranges::all_of(columns.text, is_usual);
  if (rows.size() == 1) return usual;
  if (columns.label && compare(rows, *columns.label).repeated) return false;
  for (std::size_t column = 0; column < rows[0].size(); ++column) {
    if (!is_text(column) && heads_numbers(rows, column)) return true;
  }
  if (usual) return true;
  const bool heads_labels = std::ranges::any_of(labels, [&](auto column) {
    const auto label = compare(rows, column);
    return !first(column).empty() && label.below_repeats && !label.repeated;
  });
  return heads_labels && std::ranges::any_of(columns.text, [&](auto column) {
           return is_short_word(rows, column);
         });
}

}  // namespace fastformer::data
