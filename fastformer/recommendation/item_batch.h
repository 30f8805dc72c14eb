#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "fastformer/recommendation/item_table.h"

namespace fastformer::recommendation {

/// A ragged batch of two levels: users have news, news have tokens. Each distinct title is listed
/// once, however many histories and candidates it is in; these are positions in the list.
struct ItemBatch {
  std::vector<std::int32_t> items;                    ///< [N] numbers in the news table
  std::vector<std::int32_t> token_ids;                ///< [T]
  std::vector<std::int64_t> token_offsets = {0};      ///< [N + 1]
  std::vector<std::int64_t> history;                  ///< [H] positions in `news`
  std::vector<std::int64_t> history_offsets = {0};    ///< [B + 1]
  std::vector<std::int64_t> candidates;               ///< [C] positions in `news`
  std::vector<std::int64_t> candidate_offsets = {0};  ///< [B + 1]

  std::int64_t users() const { return static_cast<std::int64_t>(history_offsets.size()) - 1; }
  std::int64_t tokens() const { return static_cast<std::int64_t>(token_ids.size()); }
};

/// Collects users into a batch.
///
///   ItemBatchBuilder builder(titles);
///   builder.add(impression.history, candidates);
///   const auto batch = builder.take();
class ItemBatchBuilder {
 public:
  /// `titles` must outlive the builder.
  explicit ItemBatchBuilder(const TitleTokens& titles) : titles_(titles) {}

  /// Numbers in the news table. Throws std::invalid_argument for one that has no title there.
  void add(std::span<const std::int32_t> history, std::span<const std::int32_t> candidates);
  ItemBatch take();

 private:
  std::int64_t position(std::int32_t item);

  const TitleTokens& titles_;
  ItemBatch batch_;
  std::unordered_map<std::int32_t, std::int64_t> positions_;
};

/// The titles of `news` in order, in batches of some 16,384 tokens, for what is done with each
/// title by itself. `news` are different numbers; throws as ItemBatchBuilder does.
void for_each_title_batch(const TitleTokens& titles, std::span<const std::int32_t> items,
                          const std::function<void(const ItemBatch&)>& body);

}  // namespace fastformer::recommendation
