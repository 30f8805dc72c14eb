#include "fastformer/kernels/softmax_attention.h"

#include <algorithm>
#include <limits>

// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fastformer/kernels/softmax_attention.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "fastformer/kernels/attention_pass-inl.h"
#include "fastformer/kernels/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {
namespace {

// The running softmax and sums of the queries of a pass.
template <class Real>
struct ForwardState {
  ForwardState(std::int64_t width, Scratch<Real> scratch)
      : queries(scratch.take(kPassQueries * width)),
        sums(scratch.take(kPassQueries * width)),
        maximum(scratch.take(kPassQueries)),
        sum(scratch.take(kPassQueries)),
        factor(scratch.take(kMostLanes)),
        logits(scratch.take(kTileKeys * kMostLanes)) {}

  Real *queries, *sums;  // [e, lanes] for each tile
  Real *maximum, *sum;
  Real *factor, *logits;  // of one tile of keys and queries
};

template <class Real>
void begin(const AttentionHead<Real>& head, const QueryTile<Real>& tile,
           const ForwardState<Real>& state) {
  const auto width = head.width;
  load_columns(head.query, tile, width, logit_scale(head), state.queries + tile.first * width);
  std::fill_n(state.sums + tile.first * width, tile.lanes * width, Real{0});
  std::fill_n(state.maximum + tile.first, tile.lanes, std::numeric_limits<Real>::lowest());
  std::fill_n(state.sum + tile.first, tile.lanes, Real{0});
}

template <class Real>
void meet(const AttentionHead<Real>& head, std::span<const Run> runs, const QueryTile<Real>& tile,
          const ForwardState<Real>& state) {
  const auto lanes = tile.lanes, width = head.width, stride = head.value.stride;
  const auto* queries = state.queries + tile.first * width;
  auto* sums = state.sums + tile.first * width;
  const auto rows = for_each_run<Real>(
      runs, tile, [&](const KeyRange& range, const Keys& keys, std::int64_t row) HWY_ATTR {
        run_logits(head, range, keys, tile, queries, state.logits + row * lanes);
      });
  if (rows == 0) return;
  advance_lanes(rows, lanes, state.logits, state.maximum + tile.first, state.sum + tile.first,
                state.factor);
  scale_lanes(state.factor, width, lanes, sums);
  for_each_run<Real>(runs, tile, [&](const KeyRange&, const Keys& keys, std::int64_t row) HWY_ATTR {
    const Scattered<Real> values{head.value.data + keys.begin * stride, 1, stride};
    multiply_add<Onto::kSum, Real>(width, lanes, keys.count(), values, state.logits + row * lanes,
                                   lanes, sums, lanes);
  });
}

// sums / sum to the rows of the output.
template <class Real>
void finish(const QueryTile<Real>& tile, std::int64_t width, const ForwardState<Real>& state,
            HeadRows<Real> output, Real* statistics) {
  auto* inverse = state.factor;
  for (std::int64_t i = 0; i < tile.lanes; ++i) {
    const auto sum = state.sum[tile.first + i];
    inverse[i] = sum == 0 ? 0 : 1 / sum;  // 0: no key was seen
  }
  for (std::int64_t i = 0; i < tile.count; ++i) {
    Real* at = statistics + 2 * (tile.position + i);
    at[0] = state.maximum[tile.first + i];
    at[1] = inverse[i];
  }
  auto* sums = state.sums + tile.first * width;
  scale_lanes(inverse, width, tile.lanes, sums);
  transpose_tile(sums, tile.lanes, width, tile.count, Real{1},
                 output.data + tile.position * output.stride, output.stride);
}

template <class Real>
void forward(const AttentionHead<Real>& head, const QueryBlock& block, HeadRows<Real> output,
             Real* statistics, Real* scratch) {
  const auto width = head.width;
  const ForwardState<Real> state(width, Scratch<Real>(scratch));
  for_each_pass<Real>(block, [&](std::int64_t first, std::int64_t last) HWY_ATTR {
    for_each_tile<Real>(first, last,
                        [&](const QueryTile<Real>& tile) HWY_ATTR { begin(head, tile, state); });
    for_each_meeting<Real>(block.ranges, first, last,
                           [&](std::span<const Run> runs, const QueryTile<Real>& tile)
                               HWY_ATTR { meet(head, runs, tile, state); });
    for_each_tile<Real>(first, last, [&](const QueryTile<Real>& tile) HWY_ATTR {
      finish(tile, width, state, output, statistics);
    });
  });
}

template <class Real>
void copy(HeadRows<const Real> from, std::int64_t n, std::int64_t width, HeadRows<Real> to) {
  for (std::int64_t i = 0; i < n; ++i) {
    scale_row(from.data + i * from.stride, width, Real{1}, to.data + i * to.stride);
  }
}

template <class Real>
void add(HeadRows<const Real> from, std::int64_t n, std::int64_t width, HeadRows<Real> to) {
  for (std::int64_t i = 0; i < n; ++i) {
    add_row(from.data + i * from.stride, width, to.data + i * to.stride);
  }
}

#define FASTFORMER_NAME(Real, suffix)                                               \
  void forward_##suffix(const AttentionHead<Real>& head, const QueryBlock& block,   \
                        HeadRows<Real> output, Real* statistics, Real* scratch) {   \
    forward(head, block, output, statistics, scratch);                              \
  }                                                                                 \
  void copy_##suffix(HeadRows<const Real> from, std::int64_t n, std::int64_t width, \
                     HeadRows<Real> to) {                                           \
    copy(from, n, width, to);                                                       \
  }                                                                                 \
  void add_##suffix(HeadRows<const Real> from, std::int64_t n, std::int64_t width,  \
                    HeadRows<Real> to) {                                            \
    add(from, n, width, to);                                                        \
  }
FASTFORMER_NAME(float, float)
FASTFORMER_NAME(double, double)
#undef FASTFORMER_NAME

}  // namespace
}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fastformer::kernels {

HWY_EXPORT(forward_float);
HWY_EXPORT(forward_double);
HWY_EXPORT(copy_float);
HWY_EXPORT(copy_double);
HWY_EXPORT(add_float);
HWY_EXPORT(add_double);

#define FASTFORMER_INSTANTIATE(Real)                                                           \
  template <>                                                                                  \
  void attend(const AttentionHead<Real>& head, const QueryBlock& block, HeadRows<Real> output, \
              Real* statistics, Real* scratch) {                                               \
    HWY_DYNAMIC_DISPATCH(forward_##Real)(head, block, output, statistics, scratch);            \
  }                                                                                            \
  template <>                                                                                  \
  void copy_rows(HeadRows<const Real> from, std::int64_t n, std::int64_t width,                \
                 HeadRows<Real> to) {                                                          \
    HWY_DYNAMIC_DISPATCH(copy_##Real)(from, n, width, to);                                     \
  }                                                                                            \
  template <>                                                                                  \
  void add_rows(HeadRows<const Real> from, std::int64_t n, std::int64_t width,                 \
                HeadRows<Real> to) {                                                           \
    HWY_DYNAMIC_DISPATCH(add_##Real)(from, n, width, to);                                      \
  }
FASTFORMER_INSTANTIATE(float)
FASTFORMER_INSTANTIATE(double)
#undef FASTFORMER_INSTANTIATE

}  // namespace fastformer::kernels
#endif  // HWY_ONCE
