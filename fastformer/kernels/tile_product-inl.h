#ifndef FASTFORMER_KERNELS_SCATTERED
#define FASTFORMER_KERNELS_SCATTERED

#include <cstdint>

namespace fastformer::kernels {

/// A matrix that is read one element at a time: (i, k) is at data[i * row + k * column].
template <class Real>
struct Scattered {
  const Real* data;
  std::int64_t row, column;
};

enum class Touch { kRead, kWrite };

/// Prefetches [rows, width] elements, the rows `stride` apart, to the L2 cache. For kernels that
/// read or write several rows in parallel, which the hardware prefetcher does not predict.
template <Touch kTouch = Touch::kRead, class Real>
inline void prefetch_rows(const Real* from, std::int64_t rows, std::int64_t width,
                          std::int64_t stride) {
  constexpr std::int64_t kLine = 64 / sizeof(Real);
  for (std::int64_t i = 0; i < rows; ++i, from += stride) {
    for (std::int64_t c = 0; c < width; c += kLine)
      __builtin_prefetch(from + c, kTouch == Touch::kWrite, 2);
  }
}

}  // namespace fastformer::kernels

#endif

// What follows is compiled once for every instruction set; include this file only between Highway's
// target macros.
#if defined(FASTFORMER_KERNELS_TILE_PRODUCT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FASTFORMER_KERNELS_TILE_PRODUCT_INL_H
#undef FASTFORMER_KERNELS_TILE_PRODUCT_INL_H
#else
#define FASTFORMER_KERNELS_TILE_PRODUCT_INL_H
#endif

#include <hwy/highway.h>

#include <bit>
#include <cstdint>

#include "fastformer/kernels/products/gemm.h"

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Whether a product is added to C, replaces it, or is added to a row for each row of C.
enum class Onto { kSum, kNothing, kRow };

/// C [kRows, kVectors * N] += A B with B and C row-major and all of C in registers. `row` is for
/// Onto::kRow.
template <int kRows, int kVectors, Onto kOnto = Onto::kSum, class D, class Real = hn::TFromD<D>>
HWY_INLINE void multiply_add_block(D d, Scattered<Real> a, const Real* b, std::int64_t ldb, Real* c,
                                   std::int64_t ldc, std::int64_t depth,
                                   const Real* row = nullptr) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<D> sum[kRows][kVectors];
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      if constexpr (kOnto == Onto::kNothing) {
        sum[i][v] = hn::Zero(d);
      } else {
        sum[i][v] = hn::LoadU(d, (kOnto == Onto::kRow ? row : c + i * ldc) + v * lanes);
      }
    }
  }
  // Three rows for each pointer: with one pointer, the distances to the others would not fit the
  // registers.
  constexpr int kPointers = (kRows + 2) / 3;
  const Real* from[kPointers];
#pragma GCC unroll 4
  for (int p = 0; p < kPointers; ++p) from[p] = a.data + 3 * p * a.row;
  for (std::int64_t k = 0; k < depth; ++k, b += ldb) {
    hn::Vec<D> right[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) right[v] = hn::LoadU(d, b + v * lanes);
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
      const auto left = hn::Set(d, from[i / 3][i % 3 * a.row]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::MulAdd(left, right[v], sum[i][v]);
    }
#pragma GCC unroll 4
    for (int p = 0; p < kPointers; ++p) from[p] += a.column;
  }
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[i][v], d, c + i * ldc + v * lanes);
  }
}

// Half of the registers hold sums: 8 x 2 of the 32 of AVX-512, 4 x 2 of the 16 below it.
inline constexpr int kBlockRows = HWY_TARGET <= HWY_AVX3 ? 8 : 4;

/// The rows of one strip of columns, in blocks of kRows, then of the next lower power of two.
template <int kRows, int kVectors, Onto kOnto = Onto::kSum, class D, class Real = hn::TFromD<D>>
HWY_INLINE void multiply_add_strip(D d, std::int64_t rows, Scattered<Real> a, const Real* b,
                                   std::int64_t ldb, Real* c, std::int64_t ldc, std::int64_t depth,
                                   const Real* row = nullptr) {
  for (; rows >= kRows; rows -= kRows) {
    multiply_add_block<kRows, kVectors, kOnto>(d, a, b, ldb, c, ldc, depth, row);
    a.data += kRows * a.row;
    c += kRows * ldc;
  }
  if constexpr (kRows > 1) {
    constexpr int kFewer = std::bit_floor(static_cast<unsigned>(kRows - 1));
    multiply_add_strip<kFewer, kVectors, kOnto>(d, rows, a, b, ldb, c, ldc, depth, row);
  }
}

/// The same with the start of a product, of which `start.row` begins at the strip.
template <int kRows, int kVectors, class D, class Real = hn::TFromD<D>>
HWY_INLINE void multiply_strip_from(Start<Real> start, D d, std::int64_t rows, Scattered<Real> a,
                                    const Real* b, std::int64_t ldb, Real* c, std::int64_t ldc,
                                    std::int64_t depth) {
  if (start.keep) {
    multiply_add_strip<kRows, kVectors, Onto::kSum>(d, rows, a, b, ldb, c, ldc, depth);
  } else if (start.row != nullptr) {
    multiply_add_strip<kRows, kVectors, Onto::kRow>(d, rows, a, b, ldb, c, ldc, depth, start.row);
  } else {
    multiply_add_strip<kRows, kVectors, Onto::kNothing>(d, rows, a, b, ldb, c, ldc, depth);
  }
}

/// Rows of C from those of `edge`, which holds `columns` of each `width`: for a last strip that is
/// not whole.
template <class Real>
HWY_INLINE void finish_edge(Start<Real> start, std::int64_t rows, std::int64_t columns,
                            const Real* edge, std::int64_t width, Real* c, std::int64_t ldc) {
  for (std::int64_t i = 0; i < rows; ++i, edge += width, c += ldc) {
    for (std::int64_t j = 0; j < columns; ++j) {
      c[j] = edge[j] + (start.keep ? c[j] : start.row != nullptr ? start.row[j] : Real{0});
    }
  }
}

/// C [rows, columns] += A [rows, depth] B [depth, columns], for products with one short side whose
/// operands fit into the L1 and L2 caches. Any size; columns are processed in strips of two
/// vectors.
template <Onto kOnto = Onto::kSum, class Real>
HWY_INLINE void multiply_add(std::int64_t rows, std::int64_t columns, std::int64_t depth,
                             Scattered<Real> a, const Real* b, std::int64_t ldb, Real* c,
                             std::int64_t ldc) {
  const hn::ScalableTag<Real> d;
  const hn::CappedTag<Real, 1> single;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t j = 0;
  for (; j + 2 * lanes <= columns; j += 2 * lanes) {
    multiply_add_strip<kBlockRows, 2, kOnto>(d, rows, a, b + j, ldb, c + j, ldc, depth);
  }
  for (; j + lanes <= columns; j += lanes) {
    multiply_add_strip<kBlockRows, 1, kOnto>(d, rows, a, b + j, ldb, c + j, ldc, depth);
  }
  for (; j < columns; ++j) {
    multiply_add_strip<kBlockRows, 1, kOnto>(single, rows, a, b + j, ldb, c + j, ldc, depth);
  }
}

}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
