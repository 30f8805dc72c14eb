#pragma once

#include <cstdint>
#include <vector>

namespace fastformer::data {

/// Documents one after another, without padding: document b owns ids[offsets[b] .. offsets[b+1]).
struct RaggedBatch {
  std::vector<std::int32_t> ids;      ///< [T]
  std::vector<std::int64_t> offsets;  ///< [B+1], offsets[0] = 0
  std::vector<std::int32_t> labels;   ///< [B]
  std::vector<std::int64_t> rows;     ///< [B] positions in the TokenSet

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
  std::int64_t tokens() const { return static_cast<std::int64_t>(ids.size()); }
};

}  // namespace fastformer::data
