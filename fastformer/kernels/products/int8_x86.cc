#include "fastformer/kernels/products/int8_x86.h"

#if defined(__x86_64__)

// The undefined vectors in the intrinsics of GCC 12 are not ours.
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#define FASTFORMER_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define FASTFORMER_AVX2 __attribute__((target("avx2")))

namespace fastformer::kernels {
namespace {

constexpr auto kPanel = Int8Matrix::kPanel, kGroup = Int8Matrix::kGroup;

std::int32_t group_at(const std::uint8_t* bytes) {
  std::int32_t group;
  std::memcpy(&group, bytes, sizeof group);
  return group;
}

// Of the intrinsic, GCC 12 copies the sum to another register and back each time.
FASTFORMER_VNNI inline void add_products(__m512i& sum, __m512i left, __m512i right) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(left), "v"(right));
}

// kRows rows and kPanels panels of columns, all sums in registers.
template <int kRows, int kPanels>
FASTFORMER_VNNI void tile_vnni(const Int8Matrix& weight, const std::uint8_t* rows,
                               const float* row_scales, std::int64_t column, Start<float> start,
                               float* y) {
  const auto groups = weight.groups(), columns = weight.columns(), stride = groups * kGroup;
  const auto* panel = weight.panels().data() + column * stride;
  __m512i sums[kRows][kPanels];
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int p = 0; p < kPanels; ++p) sums[i][p] = _mm512_setzero_si512();
  }
  for (std::int64_t k = 0; k < groups; ++k) {
    __m512i right[kPanels];
#pragma GCC unroll 2
    for (int p = 0; p < kPanels; ++p) {
      right[p] = _mm512_loadu_si512(panel + (p * groups + k) * kPanel * kGroup);
    }
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
      const auto left = _mm512_set1_epi32(group_at(rows + i * stride + k * kGroup));
#pragma GCC unroll 2
      for (int p = 0; p < kPanels; ++p) {
        add_products(sums[i][p], left, right[p]);
      }
    }
  }
#pragma GCC unroll 2
  for (int p = 0; p < kPanels; ++p) {
    const auto first = column + p * kPanel, kept = columns - first;
    const auto mask = static_cast<__mmask16>(kept >= kPanel ? 0xFFFF : (1 << kept) - 1);
    const auto offsets = _mm512_loadu_si512(weight.offsets().data() + first);
    const auto scales = _mm512_loadu_ps(weight.scales().data() + first);
    const auto bias =
        start.row == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(mask, start.row + first);
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
      float* to = y + i * columns + first;
      const auto begin = start.keep ? _mm512_maskz_loadu_ps(mask, to) : bias;
      const auto product = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(sums[i][p], offsets)),
                                         _mm512_mul_ps(_mm512_set1_ps(row_scales[i]), scales));
      _mm512_mask_storeu_ps(to, mask, _mm512_add_ps(product, begin));
    }
  }
}

template <int kRows>
FASTFORMER_VNNI void rows_vnni(const Int8Matrix& weight, const std::uint8_t* rows,
                               const float* row_scales, Start<float> start, float* y) {
  std::int64_t column = 0;
  for (; column + kPanel < weight.columns(); column += 2 * kPanel) {
    tile_vnni<kRows, 2>(weight, rows, row_scales, column, start, y);
  }
  if (column < weight.columns()) {
    tile_vnni<kRows, 1>(weight, rows, row_scales, column, start, y);
  }
}

FASTFORMER_VNNI void product_vnni(const Int8Matrix& weight, std::int64_t n,
                                  const std::uint8_t* rows, const float* row_scales,
                                  Start<float> start, float* y) {
  const auto stride = weight.groups() * kGroup;
  while (n > 0) {
    const std::int64_t count = n >= 12 ? 12 : n >= 4 ? 4 : 1;
    auto* const few = count == 12 ? rows_vnni<12> : count == 4 ? rows_vnni<4> : rows_vnni<1>;
    few(weight, rows, row_scales, start, y);
    n -= count;
    rows += count * stride;
    row_scales += count;
    y += count * weight.columns();
  }
}

// AVX2 multiplies unsigned by signed bytes and adds pairs in 16 bits, which is enough for
// 2 * 127 * 127; the sign of the row goes to the weight.
template <int kRows>
FASTFORMER_AVX2 void tile_avx2(const Int8Matrix& weight, const std::uint8_t* rows,
                               const float* row_scales, std::int64_t column, Start<float> start,
                               float* y) {
  constexpr int kLanes = 8;
  const auto groups = weight.groups(), columns = weight.columns(), stride = groups * kGroup;
  const auto ones = _mm256_set1_epi16(1);
  const auto high_bits = _mm256_set1_epi8(static_cast<char>(0x80));
  for (std::int64_t first = column; first < std::min(column + kPanel, columns); first += kLanes) {
    const auto* panel = weight.panels().data() + column * stride + (first - column) * kGroup;
    __m256i sums[kRows];
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) sums[i] = _mm256_setzero_si256();
    for (std::int64_t k = 0; k < groups; ++k) {
      const auto right =
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(panel + k * kPanel * kGroup));
#pragma GCC unroll 4
      for (int i = 0; i < kRows; ++i) {
        const auto left = _mm256_xor_si256(
            _mm256_set1_epi32(group_at(rows + i * stride + k * kGroup)), high_bits);
        const auto pairs =
            _mm256_maddubs_epi16(_mm256_abs_epi8(left), _mm256_sign_epi8(right, left));
        sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(pairs, ones));
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      alignas(32) float products[kLanes];
      const auto scales = _mm256_mul_ps(_mm256_loadu_ps(weight.scales().data() + first),
                                        _mm256_set1_ps(row_scales[i]));
      _mm256_store_ps(products, _mm256_mul_ps(_mm256_cvtepi32_ps(sums[i]), scales));
      float* row = y + i * columns;
      for (int j = 0; j < kLanes && first + j < columns; ++j) {
        const auto c = first + j;
        row[c] = products[j] + (start.keep ? row[c] : start.row != nullptr ? start.row[c] : 0);
      }
    }
  }
}

FASTFORMER_AVX2 void product_avx2(const Int8Matrix& weight, std::int64_t n,
                                  const std::uint8_t* rows, const float* row_scales,
                                  Start<float> start, float* y) {
  const auto stride = weight.groups() * kGroup;
  for (std::int64_t i = 0; i < n;) {
    const bool four = n - i >= 4;
    for (std::int64_t column = 0; column < weight.columns(); column += kPanel) {
      auto* const tile = four ? tile_avx2<4> : tile_avx2<1>;
      tile(weight, rows + i * stride, row_scales + i, column, start, y + i * weight.columns());
    }
    i += four ? 4 : 1;
  }
}

}  // namespace

std::vector<Int8Way> int8_x86_ways() {
  std::vector<Int8Way> ways;
  if (__builtin_cpu_supports("avx512vnni") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0) {
    ways.push_back(product_vnni);
  }
  if (__builtin_cpu_supports("avx2") != 0) ways.push_back(product_avx2);
  return ways;
}

}  // namespace fastformer::kernels

#else

namespace fastformer::kernels {

std::vector<Int8Way> int8_x86_ways() { return {}; }

}  // namespace fastformer::kernels

#endif
