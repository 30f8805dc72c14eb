#pragma once

#include <cstdint>
#include <vector>

namespace fastformer::data {

/// Documents and their summaries, each one after another, without padding: document b owns
/// ids[offsets[b] .. offsets[b+1]), its summary target_ids[target_offsets[b] .. ]. Summaries are
/// bare: the model itself puts the tokens that begin and end a text around them.
struct SummaryBatch {
  std::vector<std::int32_t> ids;             ///< [S]
  std::vector<std::int64_t> offsets;         ///< [B+1], offsets[0] = 0
  std::vector<std::int32_t> target_ids;      ///< [T]
  std::vector<std::int64_t> target_offsets;  ///< [B+1], target_offsets[0] = 0

  std::int64_t size() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  std::int64_t tokens() const { return static_cast<std::int64_t>(ids.size() + target_ids.size()); }
};

}  // namespace fastformer::data
