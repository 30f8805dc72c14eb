#include "fastformer/nn/block_pattern.h"

#include <algorithm>
#include <utility>

#include "fastformer/base/random.h"

namespace fastformer::nn {

std::vector<std::int64_t> BlockPattern::random_blocks(std::int64_t block, std::int64_t head,
                                                      std::int64_t count) const {
  // The candidates are the blocks from `global` on without the window, which leaves a gap there.
  const auto window_begin = std::clamp(block - side, std::min(global, count), count);
  const auto window_end = std::clamp(block + side + 1, window_begin, count);
  const auto before = window_begin - std::min(global, count);
  const auto candidates = before + count - window_end;
  // Only places that something was swapped into are kept: these are few, however many candidates
  // there are.
  std::vector<std::pair<std::int64_t, std::int64_t>> moved;
  const auto at = [&](std::int64_t place) {
    const auto found = std::find_if(moved.rbegin(), moved.rend(),
                                    [&](const auto& move) { return move.first == place; });
    if (found != moved.rend()) return found->second;
    return place < before ? global + place : window_end + place - before;
  };
  std::vector<std::int64_t> drawn(std::min(random, candidates));
  for (std::int64_t k = 0; k < static_cast<std::int64_t>(drawn.size()); ++k) {
    const auto place = static_cast<std::uint64_t>(block) * 0x9E3779B97F4A7C15 +
                       static_cast<std::uint64_t>(head) * 1000003 + static_cast<std::uint64_t>(k);
    const auto left = static_cast<std::uint64_t>(candidates - k);
    const auto other = k + static_cast<std::int64_t>(base::mix64(seed ^ base::mix64(place)) % left);
    drawn[k] = at(other);
    moved.emplace_back(other, at(k));
  }
  return drawn;
}

std::vector<kernels::KeyRange> BlockPattern::seen_tokens(std::int64_t block, std::int64_t head,
                                                         std::int64_t tokens) const {
  if (block < global) return {{0, tokens}};
  const auto count = blocks(tokens);
  std::vector<std::pair<std::int64_t, std::int64_t>> runs = {
      // of blocks
      {0, std::min(global, count)},
      {std::max(block - side, std::int64_t{0}), std::min(block + side + 1, count)}};
  for (const auto other : random_blocks(block, head, count)) runs.emplace_back(other, other + 1);
  std::sort(runs.begin(), runs.end());
  std::vector<kernels::KeyRange> ranges;
  for (const auto& [begin, end] : runs) {
    if (begin == end) continue;
    const auto last = std::min(end * size, tokens);
    if (!ranges.empty() && begin * size <= ranges.back().end) {
      ranges.back().end = std::max(ranges.back().end, last);
    } else {
      ranges.push_back({begin * size, last});
    }
  }
  return ranges;
}

}  // namespace fastformer::nn
