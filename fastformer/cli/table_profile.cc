#include "fastformer/cli/table_profile.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "fastformer/base/ascii.h"
#include "fastformer/data/header_row.h"

namespace fastformer::cli {
namespace {

constexpr std::size_t kCountedValues = 2000;
constexpr std::size_t kLongestValue = 1000;  // bytes
constexpr std::size_t kMostColumns = 10'000;

bool is_whole_number(std::string_view cell) {
  if (cell.starts_with('-') || cell.starts_with('+')) cell.remove_prefix(1);
  return !cell.empty() && cell.find_first_not_of("0123456789") == std::string_view::npos;
}

constexpr std::string_view kSeparators = ";|,";
constexpr std::size_t kLongestList = 1000;  // bytes

// Of two columns that could be the label the one that is called so.
bool is_called_label(std::string_view name) {
  const auto lower = base::ascii_lowercase(name);
  constexpr std::array<std::string_view, 13> kNames = {
      "label", "class",  "category", "categories", "sentiment", "target", "topic",
      "stars", "rating", "score",    "tags",       "genres",    "y"};
  return std::ranges::any_of(kNames, [&](auto word) {
    return word.size() == 1 ? lower == word : lower.find(word) != std::string::npos;
  });
}

}  // namespace

void ListProfile::add(std::string_view cell, char separator) {
  if (overflow) return;
  if (cell.find(separator) != std::string_view::npos) ++lists;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = cell.find(separator);
    const auto part = base::trimmed(cell.substr(0, end));
    if (end != std::string_view::npos) cell.remove_prefix(end + 1);
    if (part.empty()) continue;
    ++parts;
    if (const auto found = counts.find(part); found != counts.end()) {
      ++found->second;
    } else if (counts.size() < kCountedValues) {
      counts.emplace(part, 1);
    } else {
      overflow = true;
      return;
    }
  }
}

bool ListProfile::repeats(std::int64_t filled) const {
  return !overflow && 10 * lists >= filled && counts.size() >= 2 &&
         2 * static_cast<std::int64_t>(counts.size()) <= parts;
}

bool ColumnProfile::is_called_label() const { return cli::is_called_label(name); }

bool ColumnProfile::is_flag() const {
  return !overflow && empty == 0 && counts.contains("1") &&
         std::ranges::all_of(
             counts, [](const auto& entry) { return entry.first == "0" || entry.first == "1"; });
}

std::optional<char> ColumnProfile::list_separator() const {
  if (filled() == 0 || numbers == filled()) return std::nullopt;
  const auto json = lists.find('[');
  if (json != lists.end() && json->second.lists == filled()) return '[';
  for (const char separator : kSeparators) {
    const auto found = lists.find(separator);
    if (found == lists.end() || !found->second.repeats(filled())) continue;
    // Labels are combined in more ways than there are labels; names with commas are not.
    if (overflow || counts.size() > found->second.counts.size()) return separator;
  }
  return std::nullopt;
}

void ColumnProfile::add(std::string_view cell) {
  ++rows;
  if (cell.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    ++empty;
    return;
  }
  if (example.empty()) example = cell.substr(0, kLongestValue);
  bytes += static_cast<std::int64_t>(cell.size());
  if (data::is_number(cell)) ++numbers;
  if (is_whole_number(cell)) ++whole_numbers;
  if (cell.find(' ') != std::string_view::npos) ++spaced;
  if (cell.size() <= kLongestList) {
    if (cell.front() == '[' && cell.back() == ']') ++lists['['].lists;
    for (const char separator : kSeparators) lists[separator].add(cell, separator);
  }
  if (cell.size() > kLongestValue) {
    overflow = true;  // not a class, and no reason to keep it
  } else if (const auto found = counts.find(cell); found != counts.end()) {
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
  if (added) {
    if (columns_.size() == kMostColumns) {
      throw std::invalid_argument("the records have more than " + std::to_string(kMostColumns) +
                                  " fields; check that it is a table");
    }
    columns_.emplace_back(name);
  }
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
    return std::pair(!column.is_called_label(), column.distinct());
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

std::optional<LabelList> TableProfile::label_list(std::size_t text) const {
  const auto label = label_column(text);
  const bool has_label = label && columns_[*label].is_called_label();
  std::optional<LabelList> best;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto separator = columns_[i].list_separator();
    if (i == text || !separator || (has_label && i != *label)) continue;
    if (!best || (columns_[i].is_called_label() && !columns_[best->column].is_called_label())) {
      best = {i, *separator};
    }
  }
  return best;
}

std::vector<std::size_t> TableProfile::flag_columns(std::size_t text) const {
  std::vector<std::size_t> flags;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (i != text && columns_[i].is_flag()) flags.push_back(i);
  }
  const auto label = label_column(text);
  if (flags.size() < 2 || (label && columns_[*label].is_called_label())) flags.clear();
  return flags;
}

}  // namespace fastformer::cli
