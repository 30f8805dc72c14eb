#include "fastformer/kernels/products/matrix_product.h"

#include <algorithm>
#include <vector>

// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fastformer/kernels/products/matrix_product.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "fastformer/kernels/tile_product-inl.h"

#ifndef FASTFORMER_KERNELS_MATRIX_PRODUCT_BLOCKS
#define FASTFORMER_KERNELS_MATRIX_PRODUCT_BLOCKS
namespace fastformer::kernels {
namespace {
// A block of 256 x 256 floats of either side is a quarter of the L2 cache of current cores; a strip
// of 256 rows of B and two vectors of floats is 32 KiB and stays in the L1 cache.
constexpr std::int64_t kBlockDepth = 256, kBlockColumns = 256, kBlockHeight = 264;

template <class Real>
struct Packed {
  std::vector<Real> left, right, edge;
};

// Grown once for each thread and kept.
template <class Real>
Packed<Real>& packed() {
  thread_local Packed<Real> buffers;
  return buffers;
}
}  // namespace
}  // namespace fastformer::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {
namespace {

// Sums of a tile: 12 x 2 of the 32 registers of AVX-512, 4 x 2 of the 16 of older instruction sets.
constexpr int kTileHeight = HWY_TARGET <= HWY_AVX3 ? 12 : 4;

template <class Real>
std::int64_t strip_width() {
  return 2 * static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<Real>()));
}

// Copies kCount contiguous elements: the compiler would replace a loop by a library call, which
// takes longer.
template <std::int64_t kCount, class Real>
HWY_INLINE void copy_few(const Real* from, Real* to) {
  const hn::CappedTag<Real, kCount % (16 / sizeof(Real)) == 0 ? 16 / sizeof(Real) : 1> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < kCount; i += lanes) hn::StoreU(hn::LoadU(d, from + i), d, to + i);
}

// A square of 16 bytes in height and width: four floats or two doubles each way.
template <class Real>
constexpr std::int64_t square() {
  return HWY_TARGET == HWY_SCALAR ? 1 : 16 / static_cast<std::int64_t>(sizeof(Real));
}

// out[k * width + j] = rows[j * stride + k] for one square.
template <class Real>
HWY_INLINE void transpose_square(const Real* rows, std::int64_t stride, Real* out,
                                 std::int64_t width) {
  const hn::CappedTag<Real, square<Real>()> d;
  const auto row = [&](std::int64_t j) { return hn::LoadU(d, rows + j * stride); };
  const auto store = [&](std::int64_t k, auto values) { hn::StoreU(values, d, out + k * width); };
#if HWY_TARGET == HWY_SCALAR
  store(0, row(0));
#else
  const auto low = hn::InterleaveLower(d, row(0), row(1));
  const auto high = hn::InterleaveUpper(d, row(0), row(1));
  if constexpr (square<Real>() == 2) {
    store(0, low);
    store(1, high);
  } else {
    const auto next_low = hn::InterleaveLower(d, row(2), row(3));
    const auto next_high = hn::InterleaveUpper(d, row(2), row(3));
    store(0, hn::ConcatLowerLower(d, next_low, low));
    store(1, hn::ConcatUpperUpper(d, next_low, low));
    store(2, hn::ConcatLowerLower(d, next_high, high));
    store(3, hn::ConcatUpperUpper(d, next_high, high));
  }
#endif
}

// A whole strip [depth, strip_width] of B.
template <class Real>
void pack_strip(Scattered<Real> b, std::int64_t depth, Real* out) {
  const hn::ScalableTag<Real> d;
  const auto width = strip_width<Real>();
  if (b.column == 1) {
    for (std::int64_t k = 0; k < depth; ++k, out += width, b.data += b.row) {
      const auto one = hn::LoadU(d, b.data), two = hn::LoadU(d, b.data + width / 2);
      hn::StoreU(one, d, out);
      hn::StoreU(two, d, out + width / 2);
    }
    return;
  }
  constexpr auto kSquare = square<Real>();
  const auto whole = depth / kSquare * kSquare;
  for (std::int64_t k = 0; k < whole; k += kSquare) {
    for (std::int64_t j = 0; j < width; j += kSquare) {
      transpose_square(b.data + j * b.column + k, b.column, out + k * width + j, width);
    }
  }
  for (std::int64_t k = whole; k < depth; ++k) {
    for (std::int64_t j = 0; j < width; ++j) out[k * width + j] = b.data[j * b.column + k];
  }
}

// The block [depth, columns] of B in strips [depth, strip_width], the last filled up with zeros.
template <class Real>
void pack_right(Scattered<Real> b, std::int64_t depth, std::int64_t columns, Real* out) {
  const auto width = strip_width<Real>();
  for (; columns >= width; columns -= width, out += width * depth, b.data += width * b.column) {
    pack_strip(b, depth, out);
  }
  if (columns == 0) return;
  for (std::int64_t k = 0; k < depth; ++k, out += width, b.data += b.row) {
    for (std::int64_t j = 0; j < width; ++j) out[j] = j < columns ? b.data[j * b.column] : Real{0};
  }
}

// The block [rows, depth] of a transposed A in strips [depth, kTileHeight].
template <class Real>
void pack_left(Scattered<Real> a, std::int64_t rows, std::int64_t depth, Real* out) {
  for (std::int64_t first = 0; first < rows; first += kTileHeight) {
    const auto kept = std::min<std::int64_t>(kTileHeight, rows - first);
    const Real* from = a.data + first;
    for (std::int64_t k = 0; k < depth; ++k, out += kTileHeight, from += a.column) {
      if (kept == kTileHeight) {
        copy_few<kTileHeight>(from, out);
      } else {
        std::copy_n(from, kept, out);
      }
    }
  }
}

// The tiles of a block of A, packed or not: the first, and the distance between tiles.
template <class Real>
struct Left {
  Scattered<Real> tile;
  std::int64_t next;
};

// One strip of C [rows, strip_width], tile by tile. It prefetches the next tile of C, and if it is
// the first strip that reads the rows of A, also those of the next tile; packed rows are in the
// cache.
template <class Real>
void multiply_strip(std::int64_t rows, std::int64_t depth, Left<Real> a, bool first_read,
                    const Real* strip, Start<Real> start, Real* c, std::int64_t ldc) {
  const hn::ScalableTag<Real> d;
  const auto width = strip_width<Real>();
  const bool packed = a.tile.column != 1;
  for (; rows > 0; rows -= kTileHeight, a.tile.data += a.next, c += kTileHeight * ldc) {
    const auto height = std::min<std::int64_t>(kTileHeight, rows);
    const auto next = std::min<std::int64_t>(kTileHeight, rows - height);
    if (first_read && !packed) prefetch_rows(a.tile.data + a.next, next, depth, a.tile.row);
    prefetch_rows<Touch::kWrite>(c + kTileHeight * ldc, next, width, ldc);
    multiply_strip_from<kTileHeight, 2>(start, d, height, a.tile, strip, width, c, ldc, depth);
  }
}

// The strips of a block of C; the last, when it is not whole, goes through `edge`.
template <class Real>
void multiply_block(std::int64_t rows, std::int64_t columns, std::int64_t depth, Left<Real> a,
                    const Real* strips, Start<Real> start, Real* edge, Real* c, std::int64_t ldc) {
  const auto width = strip_width<Real>();
  for (std::int64_t first = 0; first < columns; first += width, strips += width * depth) {
    const auto begin = start.at(first);
    const bool whole = first + width <= columns;
    multiply_strip(rows, depth, a, first == 0, strips, whole ? begin : Start<Real>{},
                   whole ? c + first : edge, whole ? ldc : width);
    if (!whole) finish_edge(begin, rows, columns - first, edge, width, c + first, ldc);
  }
}

template <class Real>
void product(Scattered<Real> a, Scattered<Real> b, std::int64_t m, std::int64_t n, std::int64_t k,
             Start<Real> start, Real* c, std::int64_t ldc) {
  if (k == 0) begin_product(start, m, n, c, ldc);
  auto& buffers = packed<Real>();
  const bool pack = a.column != 1;
  buffers.right.resize(kBlockDepth * kBlockColumns + kBlockDepth * strip_width<Real>());
  buffers.edge.resize(kBlockHeight * strip_width<Real>());
  if (pack) buffers.left.resize(kBlockHeight * kBlockDepth);
  for (std::int64_t j = 0; j < n; j += kBlockColumns) {
    const auto columns = std::min(kBlockColumns, n - j);
    for (std::int64_t p = 0; p < k; p += kBlockDepth) {
      const auto depth = std::min(kBlockDepth, k - p);
      const auto begin = p > 0 ? Start<Real>{.keep = true} : start.at(j);
      pack_right<Real>({b.data + p * b.row + j * b.column, b.row, b.column}, depth, columns,
                       buffers.right.data());
      for (std::int64_t i = 0; i < m; i += kBlockHeight) {
        const auto rows = std::min(kBlockHeight, m - i);
        const Scattered<Real> rows_of_a{a.data + i * a.row + p * a.column, a.row, a.column};
        Left<Real> block{rows_of_a, kTileHeight * a.row};
        if (pack) {
          pack_left(rows_of_a, rows, depth, buffers.left.data());
          block = {{buffers.left.data(), 1, kTileHeight}, kTileHeight * depth};
        }
        Real* out = c + i * ldc + j;
        multiply_block(rows, columns, depth, block, buffers.right.data(), begin,
                       buffers.edge.data(), out, ldc);
      }
    }
  }
}

void product_float(Scattered<float> a, Scattered<float> b, std::int64_t m, std::int64_t n,
                   std::int64_t k, Start<float> start, float* c, std::int64_t ldc) {
  product(a, b, m, n, k, start, c, ldc);
}
void product_double(Scattered<double> a, Scattered<double> b, std::int64_t m, std::int64_t n,
                    std::int64_t k, Start<double> start, double* c, std::int64_t ldc) {
  product(a, b, m, n, k, start, c, ldc);
}

}  // namespace
}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fastformer::kernels {

HWY_EXPORT(product_float);
HWY_EXPORT(product_double);

#define FASTFORMER_INSTANTIATE(Real)                                                          \
  template <>                                                                                 \
  void matrix_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m,           \
                      std::int64_t n, std::int64_t k, const Real* a, std::int64_t lda,        \
                      const Real* b, std::int64_t ldb, Start<Real> start, Real* c,            \
                      std::int64_t ldc) {                                                     \
    const bool left = transpose_a == Transpose::kYes, right = transpose_b == Transpose::kYes; \
    const Scattered<Real> rows{a, left ? 1 : lda, left ? lda : 1};                            \
    const Scattered<Real> columns{b, right ? 1 : ldb, right ? ldb : 1};                       \
    HWY_DYNAMIC_DISPATCH(product_##Real)(rows, columns, m, n, k, start, c, ldc);              \
  }
FASTFORMER_INSTANTIATE(float)
FASTFORMER_INSTANTIATE(double)
#undef FASTFORMER_INSTANTIATE

}  // namespace fastformer::kernels
#endif  // HWY_ONCE
