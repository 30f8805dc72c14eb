// Compiled once for every instruction set; include it only between Highway's target macros.
#if defined(FASTFORMER_KERNELS_STATE_SCAN_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FASTFORMER_KERNELS_STATE_SCAN_INL_H
#undef FASTFORMER_KERNELS_STATE_SCAN_INL_H
#else
#define FASTFORMER_KERNELS_STATE_SCAN_INL_H
#endif

#include <hwy/highway.h>

#include <cstdint>

#include "fastformer/kernels/tile_product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {

/// body(d, vectors, j) for strips of `columns` columns: of two vectors, of one, then of vectors of
/// half the size, and so on, so that narrow heads use vectors too.
template <class Real, int kLanes = HWY_MAX_BYTES / sizeof(Real), class Body>
HWY_INLINE void for_each_strip(std::int64_t columns, const Body& body, std::int64_t j = 0) {
  const hn::CappedTag<Real, kLanes> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (; j + 2 * lanes <= columns; j += 2 * lanes) body(d, std::integral_constant<int, 2>(), j);
  for (; j + lanes <= columns; j += lanes) body(d, std::integral_constant<int, 1>(), j);
  if constexpr (kLanes > 1) {
    if (j < columns) for_each_strip<Real, kLanes / 2>(columns, body, j);
  }
}

/// The rows that `scan` applies to a state: row i of each is `step` elements after row i - 1.
template <class Real>
struct ScanRows {
  const Real *left, *right, *query;
  Real* out;
  std::int64_t step;
};

/// kRows rows of a state by kVectors vectors of its columns, held in registers.
template <int kRows, int kVectors, class D, class Real = hn::TFromD<D>>
HWY_INLINE void scan_block(D d, std::int64_t n, ScanRows<Real> rows, Real* state,
                           std::int64_t stride) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<D> held[kRows][kVectors];
#pragma GCC unroll 12
  for (int a = 0; a < kRows; ++a) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) held[a][v] = hn::LoadU(d, state + a * stride + v * lanes);
  }
  for (std::int64_t i = 0; i < n; ++i) {
    hn::Vec<D> right[kVectors], out[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      right[v] = hn::LoadU(d, rows.right + v * lanes);
      out[v] = hn::LoadU(d, rows.out + v * lanes);
    }
#pragma GCC unroll 12
    for (int a = 0; a < kRows; ++a) {
      const auto left = hn::Set(d, rows.left[a]), query = hn::Set(d, rows.query[a]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        held[a][v] = hn::MulAdd(left, right[v], held[a][v]);
        out[v] = hn::MulAdd(query, held[a][v], out[v]);
      }
    }
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) hn::StoreU(out[v], d, rows.out + v * lanes);
    rows.left += rows.step;
    rows.right += rows.step;
    rows.query += rows.step;
    rows.out += rows.step;
  }
#pragma GCC unroll 12
  for (int a = 0; a < kRows; ++a) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) hn::StoreU(held[a][v], d, state + a * stride + v * lanes);
  }
}

/// All rows of a state, in blocks of kRows, then of half as many.
template <int kRows, int kVectors, class D, class Real = hn::TFromD<D>>
HWY_INLINE void scan_strip(D d, std::int64_t n, ScanRows<Real> rows, std::int64_t height,
                           Real* state, std::int64_t stride) {
  for (; height >= kRows; height -= kRows) {
    scan_block<kRows, kVectors>(d, n, rows, state, stride);
    rows.left += kRows;
    rows.query += kRows;
    state += kRows * stride;
  }
  if constexpr (kRows > 1) {
    scan_strip<kRows / 2, kVectors>(d, n, rows, height, state, stride);
  }
}

// Half of the registers hold the state, as in products.
inline constexpr int kStateRows = HWY_TARGET <= HWY_AVX3 ? 8 : 4;

/// Applies n rows to a state [e, e], one after another:
///   state += left_i right_i^T,   then   out_i += query_i^T state
template <class Real>
HWY_INLINE void scan(std::int64_t n, const ScanRows<Real>& rows, std::int64_t e, Real* state) {
  for_each_strip<Real>(e, [&](auto d, auto vectors, std::int64_t j) HWY_ATTR {
    const ScanRows<Real> strip{rows.left, rows.right + j, rows.query, rows.out + j, rows.step};
    scan_strip<kStateRows, vectors()>(d, n, strip, e, state + j, e);
  });
}

}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
