#include "fastformer/kernels/softmax_attention.h"

#include <algorithm>
#include <cstdint>
#include <limits>

// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fastformer/kernels/softmax_attention.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "fastformer/kernels/attention_pass-inl.h"

#ifndef FASTFORMER_KERNELS_ATTENTION_SCRATCH
#define FASTFORMER_KERNELS_ATTENTION_SCRATCH
namespace fastformer::kernels {
namespace {

// Whole vectors of any instruction set.
std::int64_t padded(std::int64_t width) { return (width + 15) / 16 * 16; }

// Divides the caller's scratch into pieces that begin at cache lines. Each piece needs at most
// `kCacheLine` additional elements, for every number type.
template <class Real>
class Scratch {
 public:
  static constexpr std::int64_t kCacheLine = 64;

  explicit Scratch(Real* data) : next_(reinterpret_cast<std::uintptr_t>(data)) {}

  Real* take(std::int64_t count) {
    next_ = (next_ + kCacheLine - 1) / kCacheLine * kCacheLine;
    auto* taken = reinterpret_cast<Real*>(next_);
    next_ += static_cast<std::uintptr_t>(count) * sizeof(Real);
    return taken;
  }

 private:
  std::uintptr_t next_;
};

}  // namespace
}  // namespace fastformer::kernels
#endif

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
    inverse[i] = sum == 0 ? 0 : 1 / sum;  // 0: there was no key
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
struct BackwardState {
  BackwardState(std::int64_t width, Scratch<Real> scratch)
      : query_rows(scratch.take(kPassQueries * padded(width))),
        gradient_rows(scratch.take(kPassQueries * padded(width))),
        queries(scratch.take(kPassQueries * width)),
        gradients(scratch.take(kPassQueries * width)),
        dqueries(scratch.take(kPassQueries * width)),
        maximum(scratch.take(kPassQueries)),
        mean(scratch.take(kPassQueries)),
        weights(scratch.take(kTileKeys * kMostLanes)),
        slopes(scratch.take(kTileKeys * kMostLanes)) {}

  // Queries times the scale, and gradients times the inverse sums, so that exponentials replace
  // weights.
  Real *query_rows, *gradient_rows;      // [queries, padded e]
  Real *queries, *gradients, *dqueries;  // [e, lanes] for each tile
  Real *maximum, *mean;                  // mean: G_i . O_i times the inverse sum
  Real *weights, *slopes;                // of one tile of keys and queries
};

template <class Real>
void begin(const AttentionHead<Real>& head, const AttentionResult<Real>& result,
           const QueryTile<Real>& tile, const BackwardState<Real>& state) {
  const auto width = head.width, stride = padded(width);
  auto* queries = state.query_rows + tile.first * stride;
  auto* gradients = state.gradient_rows + tile.first * stride;
  std::fill(queries, queries + tile.lanes * stride, Real{0});
  std::fill(gradients, gradients + tile.lanes * stride, Real{0});
  std::fill_n(state.maximum + tile.first, tile.lanes, Real{0});
  std::fill_n(state.mean + tile.first, tile.lanes, Real{0});
  std::fill_n(state.dqueries + tile.first * width, tile.lanes * width, Real{0});
  for (std::int64_t i = 0; i < tile.count; ++i) {
    const auto row = tile.position + i;
    const Real* statistics = result.statistics + 2 * row;
    const Real* output = result.output.data + row * result.output.stride;
    Real* gradient = gradients + i * stride;
    scale_row(head.query.data + row * head.query.stride, width, head.scale, queries + i * stride);
    scale_row(result.gradient.data + row * result.gradient.stride, width, statistics[1], gradient);
    Real mean = 0;
    for (std::int64_t c = 0; c < width; ++c) mean += gradient[c] * output[c];
    state.maximum[tile.first + i] = statistics[0];
    state.mean[tile.first + i] = mean;
  }
  // As in the forward pass, to the bit: exponentials must not exceed their maximum.
  load_columns(head.query, tile, width, logit_scale(head), state.queries + tile.first * width);
  transpose_tile(gradients, stride, tile.lanes, width, Real{1},
                 state.gradients + tile.first * width, tile.lanes);
}

// logits [n, lanes] become exponentials, slopes G_i . V_j gradients of the logits.
template <class Real>
HWY_INLINE void slopes_of(std::int64_t n, std::int64_t lanes, const Real* maximum, const Real* mean,
                          Real* logits, Real* slopes) {
  const hn::ScalableTag<Real> d;
  for (std::int64_t l = 0; l < lanes; l += static_cast<std::int64_t>(hn::Lanes(d))) {
    const auto highest = hn::LoadU(d, maximum + l), center = hn::LoadU(d, mean + l);
    for_rows_by_four(n, [&](std::int64_t i, auto rows) HWY_ATTR {
      hn::Vec<decltype(d)> weight[4];
      for (int r = 0; r < rows; ++r) {
        weight[r] = hn::Sub(hn::LoadU(d, logits + (i + r) * lanes + l), highest);
      }
      powers_of_two<rows>(d, weight);
      for (int r = 0; r < rows; ++r) {
        const auto at = (i + r) * lanes + l;
        hn::StoreU(weight[r], d, logits + at);
        hn::StoreU(hn::Mul(weight[r], hn::Sub(hn::LoadU(d, slopes + at), center)), d, slopes + at);
      }
    });
  }
}

template <class Real>
void meet(const AttentionHead<Real>& head, std::span<const Run> runs, const QueryTile<Real>& tile,
          const BackwardState<Real>& state, const AttentionGradients<Real>& gradients) {
  const auto lanes = tile.lanes, width = head.width, stride = padded(width);
  const auto row_of = [](auto rows, std::int64_t j) { return rows.data + j * rows.stride; };
  const auto rows = for_each_run<Real>(
      runs, tile, [&](const KeyRange& range, const Keys& keys, std::int64_t row) HWY_ATTR {
        run_logits(head, range, keys, tile, state.queries + tile.first * width,
                   state.weights + row * lanes);
        multiply_add<Onto::kNothing, Real>(
            keys.count(), lanes, width, {row_of(head.value, keys.begin), head.value.stride, 1},
            state.gradients + tile.first * width, lanes, state.slopes + row * lanes, lanes);
      });
  if (rows == 0) return;
  slopes_of(rows, lanes, state.maximum + tile.first, state.mean + tile.first, state.weights,
            state.slopes);
  for_each_run<Real>(runs, tile, [&](const KeyRange&, const Keys& keys, std::int64_t row) HWY_ATTR {
    const Real *weights = state.weights + row * lanes, *slopes = state.slopes + row * lanes;
    multiply_add<Onto::kSum, Real>(width, lanes, keys.count(),
                                   {row_of(head.key, keys.begin), 1, head.key.stride}, slopes,
                                   lanes, state.dqueries + tile.first * width, lanes);
    multiply_add<Onto::kSum, Real>(keys.count(), width, tile.count, {weights, lanes, 1},
                                   state.gradient_rows + tile.first * stride, stride,
                                   row_of(gradients.value, keys.begin), gradients.value.stride);
    multiply_add<Onto::kSum, Real>(keys.count(), width, tile.count, {slopes, lanes, 1},
                                   state.query_rows + tile.first * stride, stride,
                                   row_of(gradients.key, keys.begin), gradients.key.stride);
  });
}

// Writes the gradients of the tile's queries.
template <class Real>
void finish(const QueryTile<Real>& tile, std::int64_t width, Real scale,
            const BackwardState<Real>& state, HeadRows<Real> out) {
  transpose_tile(state.dqueries + tile.first * width, tile.lanes, width, tile.count, scale,
                 out.data + tile.position * out.stride, out.stride);
}

template <class Real>
void backward(const AttentionHead<Real>& head, const QueryBlock& block,
              const AttentionResult<Real>& result, const AttentionGradients<Real>& gradients,
              Real* scratch) {
  const BackwardState<Real> state(head.width, Scratch<Real>(scratch));
  for_each_pass<Real>(block, [&](std::int64_t first, std::int64_t last) HWY_ATTR {
    for_each_tile<Real>(first, last, [&](const QueryTile<Real>& tile) HWY_ATTR {
      begin(head, result, tile, state);
    });
    for_each_meeting<Real>(block.ranges, first, last,
                           [&](std::span<const Run> runs, const QueryTile<Real>& tile)
                               HWY_ATTR { meet(head, runs, tile, state, gradients); });
    for_each_tile<Real>(first, last, [&](const QueryTile<Real>& tile) HWY_ATTR {
      finish(tile, head.width, head.scale, state, gradients.query);
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

#define FASTFORMER_NAME(Real, suffix)                                                \
  void forward_##suffix(const AttentionHead<Real>& head, const QueryBlock& block,    \
                        HeadRows<Real> output, Real* statistics, Real* scratch) {    \
    forward(head, block, output, statistics, scratch);                               \
  }                                                                                  \
  void copy_##suffix(HeadRows<const Real> from, std::int64_t n, std::int64_t width,  \
                     HeadRows<Real> to) {                                            \
    copy(from, n, width, to);                                                        \
  }                                                                                  \
  void add_##suffix(HeadRows<const Real> from, std::int64_t n, std::int64_t width,   \
                    HeadRows<Real> to) {                                             \
    add(from, n, width, to);                                                         \
  }                                                                                  \
  void backward_##suffix(const AttentionHead<Real>& head, const QueryBlock& block,   \
                         const AttentionResult<Real>& result,                        \
                         const AttentionGradients<Real>& gradients, Real* scratch) { \
    backward(head, block, result, gradients, scratch);                               \
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
HWY_EXPORT(backward_float);
HWY_EXPORT(backward_double);
HWY_EXPORT(copy_float);
HWY_EXPORT(copy_double);
HWY_EXPORT(add_float);
HWY_EXPORT(add_double);

// The backward pass needs more than the forward pass.
std::int64_t attention_scratch_size(std::int64_t width) {
  const auto columns = 3 * width + 2 * padded(width) + 2;
  return kPassQueries * columns + 2 * kTileKeys * kMostLanes + 9 * Scratch<double>::kCacheLine;
}

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
  }                                                                                            \
  template <>                                                                                  \
  void attend_backward(const AttentionHead<Real>& head, const QueryBlock& block,               \
                       const AttentionResult<Real>& result,                                    \
                       const AttentionGradients<Real>& gradients, Real* scratch) {             \
    HWY_DYNAMIC_DISPATCH(backward_##Real)(head, block, result, gradients, scratch);            \
  }
FASTFORMER_INSTANTIATE(float)
FASTFORMER_INSTANTIATE(double)
#undef FASTFORMER_INSTANTIATE

}  // namespace fastformer::kernels
#endif  // HWY_ONCE
