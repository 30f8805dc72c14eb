#include "fastformer/data/news_table.h"

#include <limits>
#include <stdexcept>
#include <utility>

namespace fastformer::data {

NewsTable::NewsTable() : ids_(1), titles_(1), category_of_{-1} {}

void NewsTable::add(NewsItem item) {
  // An impression keeps one bit of a number for the click.
  if (size() >= std::numeric_limits<std::int32_t>::max() / 2) {
    throw std::invalid_argument("there are more than a billion news, the most a table can hold");
  }
  const auto number = static_cast<std::int32_t>(size());
  const auto [known, fresh] = numbers_.emplace(item.id, number);
  if (!fresh) {
    if (title(known->second) != item.title) ++conflicts_;
    return;
  }
  std::int32_t category = -1;
  if (!item.category.empty()) {
    const auto [entry, added] =
        category_numbers_.emplace(item.category, static_cast<std::int32_t>(categories_.size()));
    if (added) categories_.push_back(std::move(item.category));
    category = entry->second;
  }
  ids_.push_back(std::move(item.id));
  titles_.push_back(std::move(item.title));
  category_of_.push_back(category);
}

std::int32_t NewsTable::find(std::string_view id) const {
  const auto found = numbers_.find(id);
  return found == numbers_.end() ? kUnknown : found->second;
}

}  // namespace fastformer::data
