#include "fastformer/kernels/products/amx_int8.h"

#if defined(__x86_64__) && defined(__linux__)

#include <vector>

#include "fastformer/kernels/products/amx_tiles-inl.h"

namespace fastformer::kernels {
namespace {

// The finish of an integer product: groups of the depth that fill no tile, scales and start.
struct Int8Finish {
  const Int8Matrix& weight;
  Start<float> start;
  std::int64_t whole_groups;

  FASTFORMER_AMX void operator()(const std::int32_t* sums, const std::uint8_t* rows,
                                 const float* row_scales, std::int64_t count, std::int64_t column,
                                 float* y) const {
    const auto groups = weight.groups(), columns = weight.columns();
    const auto kept = mask_of(columns - column);
    const auto* panel = weight.panels().data() + column * groups * Int8Matrix::kGroup;
    const auto offsets = _mm512_loadu_si512(weight.offsets().data() + column);
    const auto scales = _mm512_loadu_ps(weight.scales().data() + column);
    const auto bias = start.row == nullptr ? _mm512_setzero_ps()
                                           : _mm512_maskz_loadu_ps(kept, start.row + column);
    for (std::int64_t i = 0; i < count; ++i) {
      auto sum = _mm512_load_si512(sums + i * kSide);
      for (auto k = whole_groups; k < groups; ++k) {
        std::int32_t group;
        std::copy_n(rows + (i * groups + k) * Int8Matrix::kGroup, sizeof group,
                    reinterpret_cast<std::uint8_t*>(&group));
        sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi32(group),
                                  _mm512_loadu_si512(panel + k * kRowBytes));
      }
      float* to = y + i * columns + column;
      const auto begin = start.keep ? _mm512_maskz_loadu_ps(kept, to) : bias;
      const auto product = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(sum, offsets)),
                                         _mm512_mul_ps(_mm512_set1_ps(row_scales[i]), scales));
      _mm512_mask_storeu_ps(to, kept, _mm512_add_ps(product, begin));
    }
  }
};

// The integer sums of the rows and of 16 or 32 columns, tile by tile.
template <int kRows, int kColumns>
FASTFORMER_AMX void sum_tiles(std::int64_t steps, Operand left, Operand right,
                              std::int32_t (*sums)[kSide * kSide]) {
  zero_tile<0>();
  zero_tile<1>();
  zero_tile<2>();
  zero_tile<3>();
  multiply_tiles<Int8Units, kRows, kColumns>(steps, left, right);
  store_tile<0>(sums[0], kRowBytes);
  store_tile<1>(sums[1], kRowBytes);
  store_tile<2>(sums[2], kRowBytes);
  store_tile<3>(sums[3], kRowBytes);
}

}  // namespace

FASTFORMER_AMX void int8_product_amx(const Int8Matrix& weight, std::int64_t n,
                                     const std::uint8_t* rows, const float* row_scales,
                                     Start<float> start, float* y) {
  const auto groups = weight.groups(), columns = weight.columns();
  const auto stride = groups * Int8Matrix::kGroup, steps = groups / kSide;
  const Int8Finish finish{weight, start, steps * kSide};
  const auto* panels = reinterpret_cast<const std::uint8_t*>(weight.panels().data());
  alignas(64) std::int32_t sums[4][kSide * kSide] = {};
  thread_local std::vector<std::uint8_t> copy;
  const ConfiguredTiles configured;
  for (std::int64_t i = 0; i < n; i += 2 * kSide) {
    const auto count = std::min(n - i, 2 * kSide);
    const auto* from = rows + i * stride;
    // Tiles read 16 rows each. Where there are fewer, they read a copy.
    if (count % kSide != 0) {
      copy.assign(2 * kSide * stride, 0);
      std::copy_n(from, count * stride, copy.data());
      from = copy.data();
    }
    const Operand left{from, stride, kRowBytes, kSide * stride};
    for (std::int64_t j = 0; j < columns; j += 2 * kSide) {
      const Operand right{panels + j * stride, kRowBytes, kTileBytes, kSide * stride};
      const bool two_rows = count > kSide, two_columns = columns - j > kSide;
      auto* const sum = two_rows ? (two_columns ? sum_tiles<2, 2> : sum_tiles<2, 1>)
                                 : (two_columns ? sum_tiles<1, 2> : sum_tiles<1, 1>);
      sum(steps, left, right, sums);
      for (std::int64_t tile = 0; tile < 4; ++tile) {
        const auto row = i + tile / 2 * kSide, column = j + tile % 2 * kSide;
        if (row >= n || column >= columns) continue;
        finish(sums[tile], rows + row * stride, row_scales + row, std::min(n - row, kSide), column,
               y + row * columns);
      }
    }
  }
}

}  // namespace fastformer::kernels

#else

namespace fastformer::kernels {

void int8_product_amx(const Int8Matrix&, std::int64_t, const std::uint8_t*, const float*,
                      Start<float>, float*) {}

}  // namespace fastformer::kernels

#endif
