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

/// Every sequence in the order of rows, those of more than `most_rows` cut into blocks of so many;
/// a sequence without rows has one block. Where the cuts lie depends on the lengths alone, and so
/// does what is added up in the order of blocks. 2,048 rows of 256 floats are 2 MiB: enough work to
/// make the adding up cheap, and small enough that a document of a million tokens keeps hundreds of
/// cores busy.
inline std::vector<SequenceBlock> sequence_blocks(std::span<const std::int64_t> offsets,
                                                  std::int64_t most_rows = 2048) {
  std::vector<SequenceBlock> blocks;
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    const auto end = offsets[b + 1];
    const bool whole = end - offsets[b] <= most_rows;
    auto first = offsets[b];
    do {
      const auto rows = std::min(most_rows, end - first);
      blocks.push_back({static_cast<std::int64_t>(b), first, rows, whole});
      first += rows;
    } while (first < end);
  }
  return blocks;
}

inline bool all_whole(const std::vector<SequenceBlock>& blocks) {
  return std::all_of(blocks.begin(), blocks.end(),
                     [](const SequenceBlock& block) { return block.whole; });
}

/// body(index, block) for every block, spread over the threads.
template <class Body>
void for_each_block(const std::vector<SequenceBlock>& blocks, const Body& body) {
  at::parallel_for(0, static_cast<std::int64_t>(blocks.size()), 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (auto i = begin; i < end; ++i) body(i, blocks[i]);
                   });
}

/// body(sequence, unit) for the units 0 .. units - 1 of every sequence, in runs of about equal
/// numbers of rows for each thread. Units of one sequence may run on different threads.
template <class Body>
void for_each_unit(const std::vector<std::int64_t>& offsets, std::int64_t units, const Body& body) {
  const auto sequences = static_cast<std::int64_t>(offsets.size()) - 1;
  // A sequence without rows counts as one row, so that it has a place of its own.
  const auto start = [&](std::int64_t b, std::int64_t unit) {
    return (offsets[b] + b) * units + unit * (offsets[b + 1] - offsets[b] + 1);
  };
  const auto total = (offsets.back() + sequences) * units;
  at::parallel_for(0, total, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = 0; b < sequences; ++b) {
      for (std::int64_t unit = 0; unit < units; ++unit) {
        const auto at = start(b, unit);
        if (at >= begin && at < end) body(b, unit);
      }
    }
  });
}

/// How many units of a sequence, at most `most`, keep all threads busy: one, where there are enough
/// sequences and none is much longer than the others.
inline std::int64_t useful_units(const std::vector<std::int64_t>& offsets, std::int64_t most) {
  std::int64_t longest = 0;
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    longest = std::max(longest, offsets[b + 1] - offsets[b]);
  }
  const auto total = std::max<std::int64_t>(offsets.back(), 1);
  return std::min(4 * at::get_num_threads() * longest / total + 1, most);
}

}  // namespace fastformer::nn
