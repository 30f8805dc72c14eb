#include "fastformer/recommendation/item_table.h"

#include <limits>
#include <stdexcept>
#include <utility>

namespace fastformer::recommendation {

ItemTable::ItemTable() : ids_(1), titles_(1), category_of_{-1} {}

void ItemTable::add(Item item) {
  // An impression uses one bit of an item number for the click.
  if (size() >= std::numeric_limits<std::int32_t>::max() / 2) {
    throw std::invalid_argument("there are more than a billion items, the limit for a table");
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

std::int32_t ItemTable::find(std::string_view id) const {
  const auto found = numbers_.find(id);
  return found == numbers_.end() ? kUnknown : found->second;
}

TitleTokens tokenize_titles(const ItemTable& items, const text::Tokenizer& tokenizer,
                            std::int64_t limit) {
  TitleTokens tokens;
  tokens.offsets.reserve(static_cast<std::size_t>(items.size()) + 1);
  std::vector<std::int32_t> none;  // tokens that the tokenizer adds around a text
  tokenizer.encode("", none, static_cast<std::size_t>(limit));
  for (std::int32_t n = 0; n < items.size(); ++n) {
    const auto before = tokens.ids.size();
    const auto most = static_cast<std::size_t>(limit);
    // One extra token shows whether the title was longer. An unknown item has no tokens, not even
    // those that a tokenizer adds around a text.
    if (n != ItemTable::kUnknown) tokenizer.encode(items.title(n), tokens.ids, most + 1);
    if (tokens.ids.size() > before + most) {
      // Encoded again, so that the truncated title also ends with the tokenizer's last token.
      tokens.ids.resize(before);
      tokenizer.encode(items.title(n), tokens.ids, most);
      ++tokens.cut;
    }
    if (tokens.ids.size() <= before + none.size() && n != ItemTable::kUnknown) ++tokens.empty;
    tokens.offsets.push_back(static_cast<std::int64_t>(tokens.ids.size()));
  }
  return tokens;
}

}  // namespace fastformer::recommendation
