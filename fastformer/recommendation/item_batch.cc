#include "fastformer/recommendation/item_batch.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "fastformer/base/out_of_memory.h"

namespace fastformer::recommendation {
namespace {
constexpr std::int64_t kTokensAtOnce = 16'384;
}  // namespace

std::int64_t ItemBatchBuilder::position(std::int32_t item) {
  const auto next = static_cast<std::int64_t>(batch_.items.size());
  const auto [entry, added] = positions_.emplace(item, next);
  if (!added) return entry->second;
  if (item < 0 || item >= titles_.size()) {
    throw std::invalid_argument("the item number " + std::to_string(item) + " is not among the " +
                                std::to_string(titles_.size()) +
                                " titles; use the table that the log was read with");
  }
  const auto title = titles_.title(item);
  batch_.items.push_back(item);
  batch_.token_ids.insert(batch_.token_ids.end(), title.begin(), title.end());
  batch_.token_offsets.push_back(batch_.tokens());
  return next;
}

void ItemBatchBuilder::add(std::span<const std::int32_t> history,
                           std::span<const std::int32_t> candidates) {
  for (const auto item : history) batch_.history.push_back(position(item));
  for (const auto item : candidates) batch_.candidates.push_back(position(item));
  batch_.history_offsets.push_back(static_cast<std::int64_t>(batch_.history.size()));
  batch_.candidate_offsets.push_back(static_cast<std::int64_t>(batch_.candidates.size()));
}

ItemBatch ItemBatchBuilder::take() {
  positions_.clear();
  return std::exchange(batch_, ItemBatch{});
}

void for_each_title_batch(const TitleTokens& titles, std::span<const std::int32_t> items,
                          const std::function<void(const ItemBatch&)>& body) {
  ItemBatchBuilder builder(titles);
  while (!items.empty()) {
    std::size_t count = 0;
    for (std::int64_t tokens = 0; count < items.size() && tokens < kTokensAtOnce; ++count) {
      tokens += 1 + static_cast<std::int64_t>(titles.title(items[count]).size());
    }
    builder.add(items.first(count), {});
    base::naming_memory([&] { return "a batch of " + std::to_string(count) + " titles"; },
                        [&] { body(builder.take()); });
    items = items.subspan(count);
  }
}

}  // namespace fastformer::recommendation
