#include "fastformer/kernels/products/packed_product.h"

#include <algorithm>

#include "fastformer/kernels/products/matrix_product.h"

// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fastformer/kernels/products/packed_product.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "fastformer/kernels/tile_product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {
namespace {

// Sums of a tile: 12 x 2 of the 32 registers of AVX-512, 6 x 2 of the 16 of older instruction sets.
constexpr int kTileHeight = HWY_TARGET <= HWY_AVX3 ? 12 : 6;
// The rows of A that are read again for each strip: 24 KiB, which stay in the L1 cache.
constexpr std::int64_t kBlockElements = 6144;

std::int64_t strip_width() {
  return 2 * static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<float>()));
}

void multiply_packed(std::int64_t m, std::int64_t n, std::int64_t depth, const float* a,
                     std::int64_t lda, const float* strips, Start<float> start, float* c,
                     std::int64_t ldc) {
  const auto width = strip_width();
  const hn::ScalableTag<float> d;
  const auto tiles = kBlockElements / std::max<std::int64_t>(depth, 1) / kTileHeight;
  const auto height = std::max<std::int64_t>(tiles, 1) * kTileHeight;
  HWY_ALIGN float edge[kBlockElements];
  for (std::int64_t first = 0; first < m; first += height) {
    const auto rows = std::min(height, m - first);
    const Scattered<float> block{a + first * lda, lda, 1};
    float* out = c + first * ldc;
    const float* strip = strips;
    for (std::int64_t column = 0; column < n; column += width, strip += width * depth) {
      const auto begin = start.at(column);
      if (column + width <= n) {
        multiply_strip_from<kTileHeight, 2>(begin, d, rows, block, strip, width, out + column, ldc,
                                            depth);
        continue;
      }
      // The last strip, when it is not whole, through rows of its own.
      const auto most = kBlockElements / width / kTileHeight * kTileHeight;
      for (std::int64_t i = 0; i < rows; i += most) {
        const auto few = std::min(most, rows - i);
        multiply_strip_from<kTileHeight, 2>({}, d, few, {block.data + i * lda, lda, 1}, strip,
                                            width, edge, width, depth);
        finish_edge(begin, few, n - column, edge, width, out + i * ldc + column, ldc);
      }
    }
  }
}

void compose_packed(std::int64_t strips, std::int64_t depth, const float* scaled,
                    const float* scale, const float* direct, float* out) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t s = 0; s < strips; ++s) {
    for (std::int64_t k = 0; k < depth; ++k) {
      const auto factor = hn::Set(d, scale[k]);
      for (int v = 0; v < 2; ++v, scaled += lanes, direct += lanes, out += lanes) {
        hn::StoreU(hn::MulAdd(factor, hn::LoadU(d, scaled), hn::LoadU(d, direct)), d, out);
      }
    }
  }
}

}  // namespace
}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fastformer::kernels {

HWY_EXPORT(strip_width);
HWY_EXPORT(multiply_packed);
HWY_EXPORT(compose_packed);

PackedMatrix PackedMatrix::of(Transpose transpose, const float* b, std::int64_t ldb,
                              std::int64_t depth, std::int64_t columns) {
  const auto width = HWY_DYNAMIC_DISPATCH(strip_width)();
  const auto row = transpose == Transpose::kYes ? 1 : ldb;
  const auto column = transpose == Transpose::kYes ? ldb : 1;
  PackedMatrix packed;
  packed.depth_ = depth;
  packed.columns_ = columns;
  packed.strips_.resize((columns + width - 1) / width * width * depth);
  auto* out = packed.strips_.data();
  for (std::int64_t first = 0; first < columns; first += width) {
    const auto kept = std::min(width, columns - first);
    for (std::int64_t k = 0; k < depth; ++k, out += width) {
      for (std::int64_t j = 0; j < kept; ++j) out[j] = b[k * row + (first + j) * column];
    }
  }
  return packed;
}

void PackedMatrix::multiply(std::int64_t m, const float* a, std::int64_t lda, Start<float> start,
                            float* c, std::int64_t ldc) const {
  HWY_DYNAMIC_DISPATCH(multiply_packed)
  (m, columns_, depth_, a, lda, strips_.data(), start, c, ldc);
}

void PackedMatrix::compose(const PackedMatrix& scaled, const float* scale,
                           const PackedMatrix& direct) {
  depth_ = scaled.depth_;
  columns_ = scaled.columns_;
  strips_.resize(scaled.strips_.size());
  const auto width = HWY_DYNAMIC_DISPATCH(strip_width)();
  HWY_DYNAMIC_DISPATCH(compose_packed)
  ((columns_ + width - 1) / width, depth_, scaled.strips_.data(), scale, direct.strips_.data(),
   strips_.data());
}

}  // namespace fastformer::kernels
#endif  // HWY_ONCE
