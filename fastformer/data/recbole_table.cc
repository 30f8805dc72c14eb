#include "fastformer/data/recbole_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <system_error>

#include "fastformer/base/suggest.h"
#include "fastformer/data/cells.h"
#include "fastformer/data/utf8.h"

namespace fastformer::data {

RecboleTable::RecboleTable(const std::filesystem::path& file) : lines_(file) {
  if (!lines_.next(line_)) {
    throw std::invalid_argument(lines_.name() +
                                ": is empty, expected a first line that names the columns, like "
                                "\"item_id:token\"");
  }
  check_text(line_, where());
  split_cells(line_, '\t', cells_);
  for (const auto cell : cells_) {
    const auto colon = cell.find(':');
    if (colon == std::string_view::npos) {
      throw std::invalid_argument(where() + ": the heading '" + std::string(cell) +
                                  "' has no type, expected name:type as in \"user_id:token\"");
    }
    names_.emplace_back(cell.substr(0, colon));
  }
}

std::optional<std::size_t> RecboleTable::find_column(const std::string& name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names_.begin());
}

std::size_t RecboleTable::column(const std::string& name) const {
  const auto found = find_column(name);
  if (!found) {
    throw std::invalid_argument(lines_.name() + ": there is no column '" + name + "'" +
                                base::suggestion(name, names_));
  }
  return *found;
}

bool RecboleTable::next() {
  do {
    if (!lines_.next(line_)) return false;
  } while (line_.empty());
  check_text(line_, where());
  split_cells(line_, '\t', cells_);
  if (cells_.size() != names_.size()) {
    throw std::invalid_argument(where() + ": has " + std::to_string(cells_.size()) +
                                " columns, but the first line names " +
                                std::to_string(names_.size()));
  }
  return true;
}

double RecboleTable::number(std::size_t column) const {
  const auto text = cells_[column];
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    throw std::invalid_argument(where() + ": the " + names_[column] + " '" + std::string(text) +
                                "' is not a number");
  }
  return value;
}

}  // namespace fastformer::data
