#include "fastformer/kernels/row_pooling.h"

#include <algorithm>
#include <cmath>
#include <limits>

// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fastformer/kernels/row_pooling.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "fastformer/kernels/tile_product-inl.h"
#include "hwy/contrib/math/math-inl.h"

#ifndef FASTFORMER_KERNELS_ROW_POOLING_TILE
#define FASTFORMER_KERNELS_ROW_POOLING_TILE
namespace fastformer::kernels {
namespace {
// 64 rows of 256 floats are 64 KiB: the tile is read from memory once and from the caches after.
constexpr std::int64_t kTileRows = 64;
// Heads are padded to whole vectors of any instruction set: 64 bytes of the smallest element.
constexpr std::int64_t kHeadAlignment = 16;

std::int64_t padded(std::int64_t heads) {
  return (heads + kHeadAlignment - 1) / kHeadAlignment * kHeadAlignment;
}
}  // namespace
}  // namespace fastformer::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {
namespace {

// [h, d] -> [d, padded h]; the padding is zero.
template <class Real>
void transpose(const Real* queries, std::int64_t width, std::int64_t heads, Real* out) {
  const std::int64_t stride = padded(heads);
  if (stride != heads) std::fill(out, out + width * stride, Real{0});
  for (std::int64_t h = 0; h < heads; ++h) {
    for (std::int64_t c = 0; c < width; ++c) out[c * stride + h] = queries[h * width + c];
  }
}

// Rows that are read next.
template <class Real>
struct Ahead {
  const Real* rows;
  std::int64_t count;
};

// out [n, padded h] = x transposed_queries, while the rows that come next are fetched.
template <class Real>
void logits_of(const Real* x, const Real* transposed, std::int64_t n, std::int64_t width,
               std::int64_t heads, Real* out, Ahead<Real> ahead = {nullptr, 0}) {
  const std::int64_t stride = padded(heads);
  const std::int64_t step = ahead.count > 0 ? kBlockRows : n;
  for (std::int64_t i = 0; i < n; i += step) {
    const auto rows = std::min(step, n - i);
    if (i < ahead.count) {
      prefetch_rows(ahead.rows + i * width, std::min(rows, ahead.count - i), width, width);
    }
    multiply_add<Onto::kNothing, Real>(rows, stride, width, {x + i * width, width, 1}, transposed,
                                       stride, out + i * stride, stride);
  }
}

template <class Real, class Body>
HWY_INLINE void for_each_head_vector(std::int64_t heads, const Body& body) {
  const hn::CappedTag<Real, kHeadAlignment> d;
  for (std::int64_t h = 0; h < padded(heads); h += hn::Lanes(d)) body(d, h);
}

// The softmax of a tile under the running maximum: logits become exponentials, and `scale` [padded
// h] the factors of earlier sums. maximum and sum have padded length.
template <class Real>
void advance_softmax(std::int64_t n, std::int64_t heads, Real* logits, Real* maximum, Real* sum,
                     Real* scale) {
  const std::int64_t stride = padded(heads);
  for_each_head_vector<Real>(heads, [&](auto d, std::int64_t h) HWY_ATTR {
    const auto before = hn::LoadU(d, maximum + h);
    auto highest = before;
    for (std::int64_t i = 0; i < n; ++i) {
      highest = hn::Max(highest, hn::LoadU(d, logits + i * stride + h));
    }
    const auto factor = hn::Exp(d, hn::Sub(before, highest));
    auto total = hn::Mul(hn::LoadU(d, sum + h), factor);
    for (std::int64_t i = 0; i < n; ++i) {
      Real* at = logits + i * stride + h;
      const auto value = hn::Exp(d, hn::Sub(hn::LoadU(d, at), highest));
      hn::StoreU(value, d, at);
      total = hn::Add(total, value);
    }
    hn::StoreU(highest, d, maximum + h);
    hn::StoreU(total, d, sum + h);
    hn::StoreU(factor, d, scale + h);
  });
}

template <class Real>
void scale_rows(const Real* scale, std::int64_t heads, std::int64_t width, Real* rows) {
  for (std::int64_t h = 0; h < heads; ++h) {
    if (scale[h] == Real{1}) continue;
    for (std::int64_t c = 0; c < width; ++c) rows[h * width + c] *= scale[h];
  }
}

template <class Real>
void pool(const Real* x, const Real* queries, std::int64_t n, std::int64_t width,
          std::int64_t heads, Real* state, Real* scratch) {
  const std::int64_t stride = padded(heads);
  Real *transposed = scratch, *logits = transposed + width * stride;
  Real *maximum = logits + kTileRows * stride, *sum = maximum + stride, *scale = sum + stride;
  Real* pooled = state + 2 * heads;
  std::fill(maximum, maximum + stride, -std::numeric_limits<Real>::infinity());
  std::fill(sum, sum + stride, Real{0});
  std::fill(pooled, pooled + heads * width, Real{0});
  if (n > 0) transpose(queries, width, heads, transposed);
  for (std::int64_t first = 0; first < n; first += kTileRows) {
    const std::int64_t rows = std::min(kTileRows, n - first);
    const Real* tile = x + first * width;
    logits_of(tile, transposed, rows, width, heads, logits,
              {tile + rows * width, std::min(kTileRows, n - first - rows)});
    advance_softmax(rows, heads, logits, maximum, sum, scale);
    if (first > 0) scale_rows(scale, heads, width, pooled);
    multiply_add<Onto::kSum, Real>(heads, width, rows, {logits, 1, stride}, tile, width, pooled,
                                   width);
  }
  std::copy(maximum, maximum + heads, state);
  std::copy(sum, sum + heads, state + heads);
  if (n == 0) std::fill(state + heads, state + 2 * heads, Real{1});
}

// logits [n, padded h] become weights.
template <class Real>
void weights_of(const Real* statistics, std::int64_t n, std::int64_t heads, Real* logits,
                Real* padding) {
  const std::int64_t stride = padded(heads);
  Real *maximum = padding, *inverse = padding + stride;
  std::fill(padding, padding + 2 * stride, Real{0});
  std::copy(statistics, statistics + heads, maximum);
  std::copy(statistics + heads, statistics + 2 * heads, inverse);
  for_each_head_vector<Real>(heads, [&](auto d, std::int64_t h) HWY_ATTR {
    const auto highest = hn::LoadU(d, maximum + h), factor = hn::LoadU(d, inverse + h);
    for (std::int64_t i = 0; i < n; ++i) {
      Real* at = logits + i * stride + h;
      hn::StoreU(hn::Mul(hn::Exp(d, hn::Sub(hn::LoadU(d, at), highest)), factor), d, at);
    }
  });
}

template <class Real>
void weights(const Real* x, const Real* queries, const Real* statistics, std::int64_t n,
             std::int64_t width, std::int64_t heads, Real* out, Real* scratch) {
  const std::int64_t stride = padded(heads);
  Real *transposed = scratch, *logits = transposed + width * stride;
  Real* padding = logits + kTileRows * stride;
  transpose(queries, width, heads, transposed);
  for (std::int64_t first = 0; first < n; first += kTileRows) {
    const std::int64_t rows = std::min(kTileRows, n - first);
    logits_of(x + first * width, transposed, rows, width, heads, logits);
    weights_of(statistics, rows, heads, logits, padding);
    for (std::int64_t i = 0; i < rows; ++i) {
      std::copy_n(logits + i * stride, heads, out + (first + i) * heads);
    }
  }
}

// slopes [n, padded h] become dlogits.
template <class Real>
void slopes_to_dlogits(const Real* weights, const Real* mean, std::int64_t n, std::int64_t heads,
                       Real* slopes) {
  const std::int64_t stride = padded(heads);
  for_each_head_vector<Real>(heads, [&](auto d, std::int64_t h) HWY_ATTR {
    const auto center = hn::LoadU(d, mean + h);
    for (std::int64_t i = 0; i < n; ++i) {
      Real* at = slopes + i * stride + h;
      const auto weight = hn::LoadU(d, weights + i * stride + h);
      hn::StoreU(hn::Mul(weight, hn::Sub(hn::LoadU(d, at), center)), d, at);
    }
  });
}

template <class Real>
void pool_backward(const Real* x, const Real* queries, const Real* pooled, const Real* statistics,
                   const Real* gradient, std::int64_t n, std::int64_t width, std::int64_t heads,
                   Real* dx, Real* dqueries, Real* scratch) {
  if (n == 0) return;
  const std::int64_t stride = padded(heads);
  Real *query_columns = scratch, *gradient_columns = query_columns + width * stride;
  Real *weights = gradient_columns + width * stride, *slopes = weights + kTileRows * stride;
  Real *padding = slopes + kTileRows * stride, *mean = padding + 2 * stride;
  transpose(queries, width, heads, query_columns);
  transpose(gradient, width, heads, gradient_columns);
  std::fill(mean, mean + stride, Real{0});
  for (std::int64_t h = 0; h < heads; ++h) {
    for (std::int64_t c = 0; c < width; ++c) {
      mean[h] += pooled[h * width + c] * gradient[h * width + c];
    }
  }
  for (std::int64_t first = 0; first < n; first += kTileRows) {
    const std::int64_t rows = std::min(kTileRows, n - first);
    const Real* tile = x + first * width;
    Real* dtile = dx + first * width;
    logits_of(tile, query_columns, rows, width, heads, weights, {dtile, rows});
    weights_of(statistics, rows, heads, weights, padding);
    logits_of(tile, gradient_columns, rows, width, heads, slopes,
              {tile + rows * width, std::min(kTileRows, n - first - rows)});
    slopes_to_dlogits(weights, mean, rows, heads, slopes);
    multiply_add<Onto::kSum, Real>(rows, width, heads, {weights, stride, 1}, gradient, width, dtile,
                                   width);
    multiply_add<Onto::kSum, Real>(rows, width, heads, {slopes, stride, 1}, queries, width, dtile,
                                   width);
    multiply_add<Onto::kSum, Real>(heads, width, rows, {slopes, 1, stride}, tile, width, dqueries,
                                   width);
  }
}

// One function of each kind for each type: what the table of targets can point to.
#define FASTFORMER_NAME(Real, suffix)                                                           \
  void pool_##suffix(const Real* x, const Real* queries, std::int64_t n, std::int64_t width,    \
                     std::int64_t heads, Real* state, Real* scratch) {                          \
    pool(x, queries, n, width, heads, state, scratch);                                          \
  }                                                                                             \
  void weights_##suffix(const Real* x, const Real* queries, const Real* statistics,             \
                        std::int64_t n, std::int64_t width, std::int64_t heads, Real* out,      \
                        Real* scratch) {                                                        \
    weights(x, queries, statistics, n, width, heads, out, scratch);                             \
  }                                                                                             \
  void pool_backward_##suffix(const Real* x, const Real* queries, const Real* pooled,           \
                              const Real* statistics, const Real* gradient, std::int64_t n,     \
                              std::int64_t width, std::int64_t heads, Real* dx, Real* dqueries, \
                              Real* scratch) {                                                  \
    pool_backward(x, queries, pooled, statistics, gradient, n, width, heads, dx, dqueries,      \
                  scratch);                                                                     \
  }
FASTFORMER_NAME(float, float)
FASTFORMER_NAME(double, double)
#undef FASTFORMER_NAME

}  // namespace
}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fastformer::kernels {

HWY_EXPORT(pool_float);
HWY_EXPORT(pool_double);
HWY_EXPORT(weights_float);
HWY_EXPORT(weights_double);
HWY_EXPORT(pool_backward_float);
HWY_EXPORT(pool_backward_double);

std::int64_t row_pooling_scratch_size(std::int64_t width, std::int64_t heads) {
  return padded(heads) * (2 * width + 2 * kTileRows + 3);
}

template <class Real>
void merge_pooling(const Real* other, std::int64_t width, std::int64_t heads, Real* state) {
  for (std::int64_t h = 0; h < heads; ++h) {
    // No rows: a maximum of -inf with a sum of 1, which is impossible with rows; if all logits are
    // -inf, the sum is 0 and the result NaN.
    if (other[h] == -std::numeric_limits<Real>::infinity() && other[heads + h] == Real{1}) continue;
    const Real highest = std::max(state[h], other[h]);
    const Real mine = std::exp(state[h] - highest), theirs = std::exp(other[h] - highest);
    Real* pooled = state + 2 * heads + h * width;
    const Real* added = other + 2 * heads + h * width;
    for (std::int64_t c = 0; c < width; ++c) pooled[c] = mine * pooled[c] + theirs * added[c];
    state[heads + h] = mine * state[heads + h] + theirs * other[heads + h];
    state[h] = highest;
  }
}

template <class Real>
void finish_pooling(const Real* state, std::int64_t width, std::int64_t heads, Real* pooled,
                    Real* statistics) {
  for (std::int64_t h = 0; h < heads; ++h) {
    const Real inverse = Real{1} / state[heads + h];
    statistics[h] = state[h];
    statistics[heads + h] = inverse;
    for (std::int64_t c = 0; c < width; ++c) {
      pooled[h * width + c] = state[2 * heads + h * width + c] * inverse;
    }
  }
}

#define FASTFORMER_INSTANTIATE(Real)                                                               \
  template <>                                                                                      \
  void pool_block(const Real* x, const Real* queries, std::int64_t n, std::int64_t width,          \
                  std::int64_t heads, Real* state, Real* scratch) {                                \
    HWY_DYNAMIC_DISPATCH(pool_##Real)(x, queries, n, width, heads, state, scratch);                \
  }                                                                                                \
  template <>                                                                                      \
  void pooling_weights(const Real* x, const Real* queries, const Real* statistics, std::int64_t n, \
                       std::int64_t width, std::int64_t heads, Real* weights, Real* scratch) {     \
    HWY_DYNAMIC_DISPATCH(weights_##Real)(x, queries, statistics, n, width, heads, weights,         \
                                         scratch);                                                 \
  }                                                                                                \
  template <>                                                                                      \
  void pool_block_backward(const Real* x, const Real* queries, const Real* pooled,                 \
                           const Real* statistics, const Real* gradient, std::int64_t n,           \
                           std::int64_t width, std::int64_t heads, Real* dx, Real* dqueries,       \
                           Real* scratch) {                                                        \
    HWY_DYNAMIC_DISPATCH(pool_backward_##Real)(x, queries, pooled, statistics, gradient, n, width, \
                                               heads, dx, dqueries, scratch);                      \
  }                                                                                                \
  template void merge_pooling(const Real*, std::int64_t, std::int64_t, Real*);                     \
  template void finish_pooling(const Real*, std::int64_t, std::int64_t, Real*, Real*);
FASTFORMER_INSTANTIATE(float)
FASTFORMER_INSTANTIATE(double)
#undef FASTFORMER_INSTANTIATE

}  // namespace fastformer::kernels
#endif  // HWY_ONCE
