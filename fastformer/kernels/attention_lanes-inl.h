#ifndef FASTFORMER_KERNELS_ATTENTION_LANES
#define FASTFORMER_KERNELS_ATTENTION_LANES

#include <cstdint>

namespace fastformer::kernels {

/// Largest number of queries in vector lanes: two vectors of floats of AVX-512.
inline constexpr std::int64_t kMostLanes = 32;

}  // namespace fastformer::kernels

#endif

// What follows is compiled once for every instruction set; include this file only between Highway's
// target macros.
#if defined(FASTFORMER_KERNELS_ATTENTION_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FASTFORMER_KERNELS_ATTENTION_LANES_INL_H
#undef FASTFORMER_KERNELS_ATTENTION_LANES_INL_H
#else
#define FASTFORMER_KERNELS_ATTENTION_LANES_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Constants of 2^x: 2^r on [-1/2, 1/2] as 1 + r (c[0] + r (c[1] + ...)), and a number that puts
/// round(x) plus the bias of the exponent into the lowest bits of x + shift.
template <class Real>
struct PowerOfTwo;
template <>
struct PowerOfTwo<float> {
  static constexpr int kMantissa = 23;
  static constexpr float kLowest = -127, kShift = 12582912.0F + 127;
  // The polynomial of degree 5 with the least relative error, 1e-7.
  static constexpr float kCoefficients[] = {0.693147004F, 0.240222424F, 0.0555073358F,
                                            0.00967151299F, 0.00132647273F};
};
template <>
struct PowerOfTwo<double> {
  static constexpr int kMantissa = 52;
  static constexpr double kLowest = -1023, kShift = 6755399441055744.0 + 1023;
  // ln(2)^k / k!: its error is 2e-16.
  static constexpr double kCoefficients[] = {
      0.6931471805599453,     0.2402265069591007,     0.05550410866482158,
      0.009618129107628477,   0.0013333558146428443,  0.0001540353039338161,
      1.5252733804059841e-05, 1.321548679014431e-06,  1.0178086009239699e-07,
      7.054911620801123e-09,  4.4455382718708116e-10, 2.5678435993488206e-11};
};

/// The larger, or x where x is not a number.
template <class V>
HWY_INLINE V at_least(V low, V x) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
  return hn::Max(low, x);  // MAXPS gives its second operand then
#else
  return hn::IfThenElse(hn::Lt(x, low), low, x);
#endif
}

/// x = 2^x for x <= 0, to about the precision of Real; exactly 0 below the normal numbers, 1 for x
/// = 0. Several vectors at once, to overlap their chains of dependent operations.
template <int kVectors, class D, class Real = hn::TFromD<D>>
HWY_INLINE void powers_of_two(D d, hn::Vec<D>* x) {
  using P = PowerOfTwo<Real>;
  constexpr int kTerms = std::extent_v<decltype(P::kCoefficients)>;
  const hn::RebindToUnsigned<D> du;
  const auto lowest = hn::Set(d, P::kLowest), shift = hn::Set(d, P::kShift);
  hn::Vec<D> scale[kVectors], sum[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    x[v] = at_least(lowest, x[v]);
    const auto shifted = hn::Add(x[v], shift);
    x[v] = hn::Sub(x[v], hn::Sub(shifted, shift));
    scale[v] = hn::BitCast(d, hn::ShiftLeft<P::kMantissa>(hn::BitCast(du, shifted)));
    sum[v] = hn::Set(d, P::kCoefficients[kTerms - 1]);
  }
#pragma GCC unroll 12
  for (int k = kTerms - 2; k >= 0; --k) {
    const auto coefficient = hn::Set(d, P::kCoefficients[k]);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[v] = hn::MulAdd(sum[v], x[v], coefficient);
  }
  // Products instead of a sum of exponents keep NaN.
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    x[v] = hn::MulAdd(sum[v], hn::Mul(x[v], scale[v]), scale[v]);
  }
}

template <class D>
HWY_INLINE hn::Vec<D> power_of_two(D d, hn::Vec<D> x) {
  powers_of_two<1>(d, &x);
  return x;
}

#if HWY_TARGET != HWY_SCALAR
/// The square of 16 bytes a side at `in`, transposed and scaled.
template <class D, class Real = hn::TFromD<D>>
HWY_INLINE void transpose_square(D d, const Real* in, std::int64_t in_stride, hn::Vec<D> factor,
                                 Real* out, std::int64_t out_stride) {
  const auto row = [&](int i)
                       HWY_ATTR { return hn::Mul(hn::LoadU(d, in + i * in_stride), factor); };
  if constexpr (sizeof(Real) == 8) {
    const auto a = row(0), b = row(1);
    hn::StoreU(hn::InterleaveLower(d, a, b), d, out);
    hn::StoreU(hn::InterleaveUpper(d, a, b), d, out + out_stride);
  } else {
    const auto a = row(0), b = row(1), c = row(2), e = row(3);
    const auto ab_low = hn::InterleaveLower(d, a, b), ab_high = hn::InterleaveUpper(d, a, b);
    const auto ce_low = hn::InterleaveLower(d, c, e), ce_high = hn::InterleaveUpper(d, c, e);
    hn::StoreU(hn::ConcatLowerLower(d, ce_low, ab_low), d, out);
    hn::StoreU(hn::ConcatUpperUpper(d, ce_low, ab_low), d, out + out_stride);
    hn::StoreU(hn::ConcatLowerLower(d, ce_high, ab_high), d, out + 2 * out_stride);
    hn::StoreU(hn::ConcatUpperUpper(d, ce_high, ab_high), d, out + 3 * out_stride);
  }
}

#endif

/// out [columns, rows] = factor in [rows, columns]^T.
template <class Real>
HWY_INLINE void transpose_tile(const Real* in, std::int64_t in_stride, std::int64_t rows,
                               std::int64_t columns, Real factor, Real* out,
                               std::int64_t out_stride) {
  std::int64_t whole_rows = 0, whole = 0;
#if HWY_TARGET != HWY_SCALAR
  constexpr std::int64_t kSide = 16 / sizeof(Real);
  const hn::FixedTag<Real, kSide> d;
  const auto scale = hn::Set(d, factor);
  whole_rows = rows / kSide * kSide, whole = columns / kSide * kSide;
  for (std::int64_t i = 0; i < whole_rows; i += kSide) {
    for (std::int64_t c = 0; c < whole; c += kSide) {
      transpose_square(d, in + i * in_stride + c, in_stride, scale, out + c * out_stride + i,
                       out_stride);
    }
  }
#endif
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t c = i < whole_rows ? whole : 0; c < columns; ++c) {
      out[c * out_stride + i] = factor * in[i * in_stride + c];
    }
  }
}

/// out [n] = factor in [n].
template <class Real>
HWY_INLINE void scale_row(const Real* in, std::int64_t n, Real factor, Real* out) {
  const hn::ScalableTag<Real> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto scale = hn::Set(d, factor);
  std::int64_t c = 0;
  for (; c + lanes <= n; c += lanes) hn::StoreU(hn::Mul(scale, hn::LoadU(d, in + c)), d, out + c);
  for (; c < n; ++c) out[c] = factor * in[c];
}

/// out [n] += in [n].
template <class Real>
HWY_INLINE void add_row(const Real* in, std::int64_t n, Real* out) {
  const hn::ScalableTag<Real> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t c = 0;
  for (; c + lanes <= n; c += lanes) {
    hn::StoreU(hn::Add(hn::LoadU(d, out + c), hn::LoadU(d, in + c)), d, out + c);
  }
  for (; c < n; ++c) out[c] += in[c];
}

/// rows [n, lanes] *= factor [lanes], element by element; `lanes` are whole vectors.
template <class Real>
HWY_INLINE void scale_lanes(const Real* factor, std::int64_t n, std::int64_t lanes, Real* rows) {
  const hn::ScalableTag<Real> d;
  for (std::int64_t l = 0; l < lanes; l += static_cast<std::int64_t>(hn::Lanes(d))) {
    const auto scale = hn::LoadU(d, factor + l);
    for (std::int64_t i = 0; i < n; ++i) {
      hn::StoreU(hn::Mul(scale, hn::LoadU(d, rows + i * lanes + l)), d, rows + i * lanes + l);
    }
  }
}

/// body(row, number of rows as a constant) for rows 0 .. n - 1, four of them at once.
template <class Body>
HWY_INLINE void for_rows_by_four(std::int64_t n, const Body& body) {
  std::int64_t i = 0;
  for (; i + 4 <= n; i += 4) body(i, std::integral_constant<int, 4>());
  for (; i < n; ++i) body(i, std::integral_constant<int, 1>());
}

/// The next step of a running softmax, one lane per query: logits [n, lanes] (to base 2) become
/// exponentials, `factor` the factors for earlier sums.
template <class Real>
HWY_INLINE void advance_lanes(std::int64_t n, std::int64_t lanes, Real* logits, Real* maximum,
                              Real* sum, Real* factor) {
  const hn::ScalableTag<Real> d;
  using V = hn::Vec<decltype(d)>;
  for (std::int64_t l = 0; l < lanes; l += static_cast<std::int64_t>(hn::Lanes(d))) {
    Real* column = logits + l;
    const auto before = hn::LoadU(d, maximum + l);
    V highest[4] = {before, before, before, before};
    for_rows_by_four(n, [&](std::int64_t i, auto rows) HWY_ATTR {
      for (int r = 0; r < rows; ++r) {
        highest[r] = hn::Max(highest[r], hn::LoadU(d, column + (i + r) * lanes));
      }
    });
    const auto top = hn::Max(hn::Max(highest[0], highest[1]), hn::Max(highest[2], highest[3]));
    auto total = hn::Zero(d);
    for_rows_by_four(n, [&](std::int64_t i, auto rows) HWY_ATTR {
      V x[4];
      for (int r = 0; r < rows; ++r) x[r] = hn::Sub(hn::LoadU(d, column + (i + r) * lanes), top);
      powers_of_two<rows>(d, x);
      for (int r = 0; r < rows; ++r) {
        hn::StoreU(x[r], d, column + (i + r) * lanes);
        total = hn::Add(total, x[r]);
      }
    });
    const auto scale = power_of_two(d, hn::Sub(before, top));
    hn::StoreU(top, d, maximum + l);
    hn::StoreU(hn::MulAdd(hn::LoadU(d, sum + l), scale, total), d, sum + l);
    hn::StoreU(scale, d, factor + l);
  }
}

/// A mask to add to logits: minus infinity before and after kMostLanes zeros.
template <class Real>
constexpr auto kCurtain = [] {
  std::array<Real, 3 * kMostLanes> values{};
  for (std::int64_t i = 0; i < kMostLanes; ++i) {
    values[i] = values[2 * kMostLanes + i] = -std::numeric_limits<Real>::infinity();
  }
  return values;
}();

/// logits [lanes] of the lanes outside of low .. high become minus infinity.
template <class Real>
HWY_INLINE void hide_lanes(std::int64_t low, std::int64_t high, std::int64_t lanes, Real* logits) {
  const hn::ScalableTag<Real> d;
  const Real* middle = kCurtain<Real>.data() + kMostLanes;
  const Real* before = middle - std::clamp<std::int64_t>(low, 0, lanes);
  const Real* after = middle + kMostLanes - 1 - std::clamp<std::int64_t>(high, -1, lanes - 1);
  for (std::int64_t l = 0; l < lanes; l += static_cast<std::int64_t>(hn::Lanes(d))) {
    const auto seen = hn::Add(hn::LoadU(d, logits + l), hn::LoadU(d, before + l));
    hn::StoreU(hn::Add(seen, hn::LoadU(d, after + l)), d, logits + l);
  }
}

}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
