#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "fastformer/recommendation/item_table.h"

namespace fastformer::recommendation {

/// A ragged batch with two levels: users have items, items have tokens. Each distinct item is
/// stored once, even if several histories and candidate lists contain it; these lists consist of
/// positions in `items`.
struct ItemBatch {
  std::vector<std::int32_t> items;                    ///< [N] numbers in the item table
  std::vector<std::int32_t> token_ids;                ///< [T]
  std::vector<std::int64_t> token_offsets = {0};      ///< [N + 1]
  std::vector<std::int64_t> history;                  ///< [H] positions in `items`
  std::vector<std::int64_t> history_offsets = {0};    ///< [B + 1]
  std::vector<std::int64_t> candidates;               ///< [C] positions in `items`
  std::vector<std::int64_t> candidate_offsets = {0};  ///< [B + 1]

  std::int64_t users() const { return static_cast<std::int64_t>(history_offsets.size()) - 1; }
  std::int64_t tokens() const { return static_cast<std::int64_t>(token_ids.size()); }
};

/// Builds a batch user by user.
///
///   ItemBatchBuilder builder(titles);
///   builder.add(impression.history, candidates);
///   const auto batch = builder.take();
class ItemBatchBuilder {
 public:
  /// `titles` must outlive the builder.
  explicit ItemBatchBuilder(const TitleTokens& titles) : titles_(titles) {}

  /// Adds a user; items are given as numbers of the item table. Throws std::invalid_argument for a
  /// number without a title.
  void add(std::span<const std::int32_t> history, std::span<const std::int32_t> candidates);
  ItemBatch take();

 private:
  std::int64_t position(std::int32_t item);

  const TitleTokens& titles_;
  ItemBatch batch_;
  std::unordered_map<std::int32_t, std::int64_t> positions_;
};

/// Calls `body` with the titles of `items`, in order, in batches of about 16,384 tokens, for work
/// on single titles. The numbers in `items` must be distinct. Throws as ItemBatchBuilder does.
void for_each_title_batch(const TitleTokens& titles, std::span<const std::int32_t> items,
                          const std::function<void(const ItemBatch&)>& body);

}  // namespace fastformer::recommendation
