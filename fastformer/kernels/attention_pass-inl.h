#ifndef FASTFORMER_KERNELS_ATTENTION_TILES
#define FASTFORMER_KERNELS_ATTENTION_TILES

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "fastformer/kernels/softmax_attention.h"

namespace fastformer::kernels {

/// Number of queries per pass over the keys; their state stays in the L2 cache.
inline constexpr std::int64_t kPassQueries = 128;
/// Keys of a tile: with e = 16 their rows are 16 KiB and their logits 8 KiB of the L1 cache.
inline constexpr std::int64_t kTileKeys = 128;

/// Keys begin .. end - 1.
struct Keys {
  std::int64_t begin, end;
  std::int64_t count() const { return std::max<std::int64_t>(end - begin, 0); }
};

/// The keys of a range from `first` - behind to `last` + ahead, to which any query of first .. last
/// attends; with the two exchanged, those to which all of them attend.
inline Keys keys_of(const KeyRange& range, std::int64_t first, std::int64_t last) {
  // Most keys are adjacent, and divisions are slow.
  const auto divide = [&](std::int64_t a) { return range.step == 1 ? a : a / range.step; };
  const auto low = first - range.behind, high = last + range.ahead;
  const auto begin = low <= 0 ? 0 : divide(low + range.step - 1);
  const auto end = high < 0 ? 0 : divide(high) + 1;
  return {std::max(range.begin, begin), std::min(range.end, end)};
}

/// Number of keys to which any query of first .. last attends.
inline std::int64_t count_keys(std::span<const KeyRange> ranges, std::int64_t first,
                               std::int64_t last) {
  std::int64_t total = 0;
  for (const auto& range : ranges) total += keys_of(range, first, last).count();
  return total;
}

/// Where a pass that begins with query `first` ends. A few queries whose keys fill one tile form a
/// pass, so that no window is cut in two; else many queries share the keys they read.
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

/// Cuts the keys to which some query of first .. last attends into tiles of about equal size.
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

#endif

// What follows is compiled once for every instruction set; include this file only between Highway's
// target macros.
#if defined(FASTFORMER_KERNELS_ATTENTION_PASS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FASTFORMER_KERNELS_ATTENTION_PASS_INL_H
#undef FASTFORMER_KERNELS_ATTENTION_PASS_INL_H
#else
#define FASTFORMER_KERNELS_ATTENTION_PASS_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <span>

#include "fastformer/kernels/attention_lanes-inl.h"
#include "fastformer/kernels/tile_product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {

/// Some queries, one per lane. Matrices that belong to them start at row `first` of the pass.
template <class Real>
struct QueryTile {
  /// Two vectors; the rest at the end of a pass may fill one.
  static std::int64_t most_lanes() {
    return 2 * static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<Real>()));
  }

  QueryTile(std::int64_t start, std::int64_t pass_end, std::int64_t pass_begin)
      : position(start),
        count(std::min(most_lanes(), pass_end - start)),
        lanes(2 * count <= most_lanes() ? most_lanes() / 2 : most_lanes()),
        first(start - pass_begin) {}
  std::int64_t last() const { return position + count - 1; }

  std::int64_t position, count, lanes, first;
};

/// The keys of `run` to which the tile attends.
template <class Real>
Keys attended_keys(const Run& run, const QueryTile<Real>& tile) {
  const auto keys = keys_of(*run.range, tile.position, tile.last());
  return {std::max(keys.begin, run.keys.begin), std::min(keys.end, run.keys.end)};
}

/// logits [keys, lanes] of one run, minus infinity where a query does not attend to the key.
template <class Real>
void run_logits(const AttentionHead<Real>& head, const KeyRange& range, const Keys& keys,
                const QueryTile<Real>& tile, const Real* queries, Real* logits) {
  const auto [rows, stride] = head.key;
  const auto lanes = tile.lanes;
  multiply_add<Onto::kNothing, Real>(keys.count(), lanes, head.width,
                                     {rows + keys.begin * stride, stride, 1}, queries, lanes,
                                     logits, lanes);
  const auto hide = [&](std::int64_t begin, std::int64_t end) HWY_ATTR {
    for (auto j = begin; j < end; ++j) {
      const auto lane = j * range.step - tile.position;
      hide_lanes(lane - range.ahead, lane + range.behind, lanes, logits + (j - keys.begin) * lanes);
    }
  };
  const auto whole = keys_of(range, tile.last(), tile.position);  // all queries attend to these
  if (whole.count() == 0) return hide(keys.begin, keys.end);
  hide(keys.begin, std::min(whole.begin, keys.end));
  hide(std::max(whole.end, keys.begin), keys.end);
}

/// body(run's range, keys, row of the tile's logits at which they start) for the runs to which
/// `tile` attends.
template <class Real, class Body>
HWY_INLINE std::int64_t for_each_run(std::span<const Run> runs, const QueryTile<Real>& tile,
                                     const Body& body) {
  std::int64_t row = 0;
  for (const auto& run : runs) {
    const auto keys = attended_keys(run, tile);
    if (keys.count() == 0) continue;
    body(*run.range, keys, row);
    row += keys.count();
  }
  return row;
}

/// Logits are formed to base 2.
template <class Real>
Real logit_scale(const AttentionHead<Real>& head) {
  return static_cast<Real>(head.scale * 1.4426950408889634);
}

/// out [e, lanes] = the rows of a tile's queries, scaled; zeros where there is none.
template <class Real>
void load_columns(HeadRows<const Real> rows, const QueryTile<Real>& tile, std::int64_t width,
                  Real scale, Real* out) {
  if (tile.count < tile.lanes) std::fill(out, out + width * tile.lanes, Real{0});
  transpose_tile(rows.data + tile.position * rows.stride, rows.stride, tile.count, width, scale,
                 out, tile.lanes);
}

/// body(tile) for the queries of a pass.
template <class Real, class Body>
HWY_INLINE void for_each_tile(std::int64_t first, std::int64_t last, const Body& body) {
  for (auto start = first; start < last; start += QueryTile<Real>::most_lanes()) {
    body(QueryTile<Real>(start, last, first));
  }
}

/// body(first, last) for each pass over keys that the block needs.
template <class Real, class Body>
HWY_INLINE void for_each_pass(const QueryBlock& block, const Body& body) {
  for (auto first = block.first; first < block.last;) {
    const auto last = end_of_pass(block, first, QueryTile<Real>::most_lanes());
    body(first, last);
    first = last;
  }
}

/// meet(runs, tile) for all tiles of keys and queries of a pass.
template <class Real, class Meet>
HWY_INLINE void for_each_meeting(std::span<const KeyRange> ranges, std::int64_t first,
                                 std::int64_t last, const Meet& meet) {
  KeyTiles key_tiles(ranges, first, last - 1);
  for (auto runs = key_tiles.next(); !runs.empty(); runs = key_tiles.next()) {
    for_each_tile<Real>(first, last,
                        [&](const QueryTile<Real>& tile) HWY_ATTR { meet(runs, tile); });
  }
}

}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
