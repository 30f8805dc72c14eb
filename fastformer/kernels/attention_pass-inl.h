// Compiled once for every instruction set; include it only between Highway's target macros.
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
#include "fastformer/kernels/attention_tiles.h"
#include "fastformer/kernels/softmax_attention.h"
#include "fastformer/kernels/tile_product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {

/// Some queries, one a lane. Matrices that belong to them start at row `first` of the pass.
template <class Real>
struct QueryTile {
  /// Two vectors; what is left at the end of a pass may fill one.
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

/// The keys of `run` that the tile sees.
template <class Real>
Keys seen_keys(const Run& run, const QueryTile<Real>& tile) {
  const auto keys = keys_of(*run.range, tile.position, tile.last());
  return {std::max(keys.begin, run.keys.begin), std::min(keys.end, run.keys.end)};
}

/// logits [keys, lanes] of one run, minus infinity where a query does not see the key.
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
  const auto whole = keys_of(range, tile.last(), tile.position);  // seen by all queries
  if (whole.count() == 0) return hide(keys.begin, keys.end);
  hide(keys.begin, std::min(whole.begin, keys.end));
  hide(std::max(whole.end, keys.begin), keys.end);
}

/// body(run's range, keys, row of the tile's logits at which they start) for the runs seen by
/// `tile`.
template <class Real, class Body>
HWY_INLINE std::int64_t for_each_run(std::span<const Run> runs, const QueryTile<Real>& tile,
                                     const Body& body) {
  std::int64_t row = 0;
  for (const auto& run : runs) {
    const auto keys = seen_keys(run, tile);
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
