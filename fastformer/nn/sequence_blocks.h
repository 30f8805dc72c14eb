#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

/// Pieces of sequences for threads to share: many short sequences and one long one alike.
namespace fastformer::nn {

struct SequenceBlock {
  std::int64_t sequence, first, rows;
  bool whole;  ///< the only one of its sequence
};

/// Every sequence, those of more than 2,048 rows cut into blocks of so many. Where the cuts lie
/// depends on the lengths alone. 2,048 rows of 256 floats are 2 MiB: enough work to make the adding
/// up of blocks cheap, and small enough that a document of a million tokens keeps hundreds of cores
/// busy.
inline std::vector<SequenceBlock> sequence_blocks(std::span<const std::int64_t> offsets) {
  constexpr std::int64_t kMostRows = 2048;
  std::vector<SequenceBlock> blocks;
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    const auto end = offsets[b + 1];
    const bool whole = end - offsets[b] <= kMostRows;
    auto first = offsets[b];
    do {
      const auto rows = std::min(kMostRows, end - first);
      blocks.push_back({static_cast<std::int64_t>(b), first, rows, whole});
      first += rows;
    } while (first < end);
  }
  return blocks;
}

/// body(index, block) for every block, spread over the threads.
template <class Body>
void for_each_block(const std::vector<SequenceBlock>& blocks, const Body& body) {
  at::parallel_for(0, static_cast<std::int64_t>(blocks.size()), 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (auto i = begin; i < end; ++i) body(i, blocks[i]);
                   });
}

}  // namespace fastformer::nn
