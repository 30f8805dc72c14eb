#include "fastformer/cli/table_profile.h"

#include <algorithm>
#include <array>

#include "fastformer/base/ascii.h"
#include "fastformer/data/header_row.h"

namespace fastformer::cli {
namespace {

constexpr std::size_t kCountedValues = 2000;

bool is_whole_number(std::string_view cell) {
  if (cell.starts_with('-') || cell.starts_with('+')) cell.remove_prefix(1);
  return !cell.empty() && cell.find_first_not_of("0123456789") == std::string_view::npos;
}

// Of two columns that could be the label the one that is called so.
bool is_called_label(std::string_view name) {
  const auto lower = base::ascii_lowercase(name);
  constexpr std::array<std::string_view, 10> kNames = {"label",  "class", "category", "sentiment",
                                                       "target", "topic", "stars",    "rating",
                                                       "score",  "y"};
  return std::ranges::any_of(kNames, [&](auto word) {
    return word.size() == 1 ? lower == word : lower.find(word) != std::string::npos;
  });
}

}  // namespace

void ColumnProfile::add(std::string_view cell) {
  ++rows;
  if (cell.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    ++empty;
    return;
  }
  if (example.empty()) example = cell;
  bytes += static_cast<std::int64_t>(cell.size());
  if (data::is_number(cell)) ++numbers;
  if (is_whole_number(cell)) ++whole_numbers;
  if (cell.find(' ') != std::string_view::npos) ++spaced;
  if (const auto found = counts.find(cell); found != counts.end()) {
    ++found->second;
  } else if (counts.size() < kCountedValues) {
    counts.emplace(cell, 1);
  } else {
    overflow = true;
  }
}

std::string ColumnProfile::type() const {
  if (filled() == 0) return "empty";
  if (whole_numbers == filled()) return "whole numbers";
  if (numbers == filled()) return "numbers";
  return 2 * spaced > filled() ? "texts" : "words";
}

bool ColumnProfile::is_text() const { return filled() > 0 && numbers < filled(); }

double ColumnProfile::mean_bytes() const {
  return static_cast<double>(bytes) / static_cast<double>(std::max<std::int64_t>(1, filled()));
}

void TableProfile::set_columns(const std::vector<std::string>& names) {
  for (const auto& name : names) columns_.emplace_back(name);
}

void TableProfile::add_field(const std::string& name, std::string_view value) {
  const auto [place, added] = places_.try_emplace(name, columns_.size());
  if (added) columns_.emplace_back(name);
  columns_[place->second].add(value);
}

void TableProfile::add_row(const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < std::min(cells.size(), columns_.size()); ++i)
    columns_[i].add(cells[i]);
  ++rows_;
}

std::optional<std::size_t> TableProfile::text_column() const {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!columns_[i].is_text()) continue;
    if (!best || columns_[i].mean_bytes() > columns_[*best].mean_bytes()) best = i;
  }
  return best;
}

std::optional<std::size_t> TableProfile::label_column(std::size_t text) const {
  std::optional<std::size_t> best;
  const auto rank = [&](std::size_t i) {
    const auto& column = columns_[i];
    return std::pair(!is_called_label(column.name), column.distinct());
  };
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto& column = columns_[i];
    const bool repeats = !column.too_many() && column.distinct() >= 2 &&
                         2 * static_cast<std::int64_t>(column.distinct()) <= column.filled();
    if (i == text || !repeats) continue;
    if (!best || rank(i) < rank(*best)) best = i;
  }
  return best;
}

}  // namespace fastformer::cli
