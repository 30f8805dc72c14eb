#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "fastformer/kernels/softmax_attention.h"

namespace fastformer::kernels {

/// Queries whose state one pass over their keys keeps, in the second cache.
inline constexpr std::int64_t kPassQueries = 128;
/// Keys of a tile: with e = 16 their rows are 16 KiB and their logits 8 KiB of the first cache.
inline constexpr std::int64_t kTileKeys = 128;
/// The most queries that stand side by side in vectors: two vectors of floats of AVX-512.
inline constexpr std::int64_t kMostLanes = 32;

/// Keys begin .. end - 1.
struct Keys {
  std::int64_t begin, end;
  std::int64_t count() const { return std::max<std::int64_t>(end - begin, 0); }
};

/// The keys of a range that stand from `first` - behind to `last` + ahead: what some query of
/// first .. last sees; with the two exchanged, what all of them see.
inline Keys keys_of(const KeyRange& range, std::int64_t first, std::int64_t last) {
  // Most keys stand side by side, and divisions are slow.
  const auto divide = [&](std::int64_t a) { return range.step == 1 ? a : a / range.step; };
  const auto low = first - range.behind, high = last + range.ahead;
  const auto begin = low <= 0 ? 0 : divide(low + range.step - 1);
  const auto end = high < 0 ? 0 : divide(high) + 1;
  return {std::max(range.begin, begin), std::min(range.end, end)};
}

/// How many keys some query of first .. last sees.
inline std::int64_t count_keys(std::span<const KeyRange> ranges, std::int64_t first,
                               std::int64_t last) {
  std::int64_t total = 0;
  for (const auto& range : ranges) total += keys_of(range, first, last).count();
  return total;
}

/// Where a pass that begins with query `first` ends. A few queries whose keys fill one tile go
/// alone, so that no window is cut in two; else many share what they read.
inline std::int64_t end_of_pass(const QueryBlock& block, std::int64_t first, std::int64_t lanes) {
  const auto few = std::min(first + lanes, block.last);
  const bool fits = count_keys(block.ranges, first, few - 1) <= kTileKeys;
  return fits ? few : std::min(first + kPassQueries, block.last);
}

/// A part of a range.
struct Run {
  const KeyRange* range;
  Keys keys;
};

/// Cuts the keys that some query of first .. last sees into tiles of about equal size.
class KeyTiles {
 public:
  KeyTiles(std::span<const KeyRange> ranges, std::int64_t first, std::int64_t last)
      : ranges_(ranges), first_(first), last_(last) {
    const auto total = count_keys(ranges, first, last);
    const auto tiles = std::max<std::int64_t>((total + kTileKeys - 1) / kTileKeys, 1);
    size_ = (total + tiles - 1) / tiles;
  }

  /// The runs of the next tile; none at the end.
  std::span<const Run> next() {
    std::size_t count = 0;
    for (auto room = size_; room > 0 && index_ < ranges_.size();) {
      auto keys = keys_of(ranges_[index_], first_, last_);
      keys.begin += done_;
      const auto taken = std::min(keys.count(), room);
      if (taken > 0) runs_[count++] = {&ranges_[index_], {keys.begin, keys.begin + taken}};
      room -= taken;
      const bool finished = taken == keys.count();
      done_ = finished ? 0 : done_ + taken;
      if (finished) ++index_;
    }
    return {runs_.data(), count};
  }

 private:
  std::span<const KeyRange> ranges_;
  std::int64_t first_, last_, size_;
  std::int64_t done_ = 0;  // keys of the range at index_ that earlier tiles took
  std::size_t index_ = 0;
  std::array<Run, kTileKeys> runs_;
};

}  // namespace fastformer::kernels
