#pragma once

#include <cstdint>
#include <span>

#include "fastformer/data/pair_set.h"

namespace fastformer::tasks {

/// Documents and their summaries, each one after another, without padding: document b owns
/// ids[offsets[b] .. offsets[b+1]), its summary target_ids[target_offsets[b] .. ]. Summaries are
/// bare: the model itself puts the tokens that begin and end a text around them. A view: the
/// numbers belong to the caller.
struct SummaryBatch {
  std::span<const std::int32_t> ids;             ///< [S]
  std::span<const std::int64_t> offsets;         ///< [B+1], offsets[0] = 0
  std::span<const std::int32_t> target_ids;      ///< [T]
  std::span<const std::int64_t> target_offsets;  ///< [B+1], target_offsets[0] = 0
};

/// A view of the pairs.
inline SummaryBatch summary_batch(const data::PairBatch& pairs) {
  return {pairs.source.ids, pairs.source.offsets, pairs.target.ids, pairs.target.offsets};
}

}  // namespace fastformer::tasks
