#include "fastformer/kernels/products/avx512_bf16.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "fastformer/kernels/products/matrix_product.h"

namespace fastformer::kernels {
namespace {

#define FASTFORMER_AVX512_BF16 \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

// A strip of 32 columns is two vectors; a tile of C is 12 x 2 of the 32 registers. Depth counts
// pairs: the instruction adds two products to each sum.
constexpr std::int64_t kStrip = 32, kBlockPairs = 256, kBlockColumns = 256, kBlockHeight = 264;
constexpr int kTileHeight = 12;

using Pairs = std::vector<std::int32_t>;  // two bf16 each, the first in the lower half

// The first `count` of 16 floats, zero after them.
FASTFORMER_AVX512_BF16 inline __m512 load_16(const float* from, std::int64_t count) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>(count >= 16 ? 0xFFFF : (1U << count) - 1),
                               from);
}

// Both vectors, rounded, one after the other.
FASTFORMER_AVX512_BF16 inline __m512i rounded(__m512 first, __m512 second) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
}

// Element j of one half of a vector beside element j of the other.
constexpr std::array<std::int16_t, 32> kInterleaved = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                       21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                       11, 27, 12, 28, 13, 29, 14, 30, 15, 31};

// [depth, columns] -> out [pairs][width], rounded up to whole vectors, the rows `width` apart;
// columns past the last are zero.
FASTFORMER_AVX512_BF16 void pack_rows(const float* from, std::int64_t stride, std::int64_t depth,
                                      std::int64_t columns, std::int64_t width, std::int32_t* out) {
  const auto order = _mm512_loadu_si512(kInterleaved.data());
  for (std::int64_t k = 0; k < depth; k += 2, from += 2 * stride, out += width) {
    const bool has_second = k + 1 < depth;
    const float* second = has_second ? from + stride : from;
    for (std::int64_t j = 0; j < width; j += 16) {
      const auto count = std::clamp<std::int64_t>(columns - j, 0, 16);
      const auto halves =
          rounded(load_16(from + j, count), load_16(second + j, has_second ? count : 0));
      _mm512_storeu_si512(out + j, _mm512_permutexvar_epi16(order, halves));
    }
  }
}

// [rows, depth] -> out [rows][pairs]: rows are rounded in their order.
FASTFORMER_AVX512_BF16 void pack_columns(const float* from, std::int64_t stride, std::int64_t rows,
                                         std::int64_t depth, std::int64_t pairs,
                                         std::int32_t* out) {
  for (std::int64_t i = 0; i < rows; ++i, from += stride, out += pairs) {
    std::int64_t k = 0;
    for (; k + 32 <= depth; k += 32) {
      _mm512_storeu_si512(out + k / 2, rounded(load_16(from + k, 16), load_16(from + k + 16, 16)));
    }
    if (k == depth) continue;
    const auto left = depth - k;
    const auto last = rounded(load_16(from + k, left),
                              load_16(from + k + 16, std::max<std::int64_t>(left - 16, 0)));
    _mm512_mask_storeu_epi32(out + k / 2, static_cast<__mmask16>((1U << (pairs - k / 2)) - 1),
                             last);
  }
}

// Pair k of row i of a tile of A is at data[i * row + k * pair], the next tile at data + tile.
struct Left {
  const std::int32_t* data;
  std::int64_t row, pair, tile;
};

template <int kRows>
FASTFORMER_AVX512_BF16 inline void multiply_tile(Left a, const std::int32_t* strip,
                                                 std::int64_t pairs, float* c, std::int64_t ldc) {
  __m512 sum[kRows][2];
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
    sum[i][0] = _mm512_loadu_ps(c + i * ldc);
    sum[i][1] = _mm512_loadu_ps(c + i * ldc + 16);
  }
  for (std::int64_t k = 0; k < pairs; ++k, strip += kStrip) {
    const auto one = reinterpret_cast<__m512bh>(_mm512_loadu_si512(strip));
    const auto two = reinterpret_cast<__m512bh>(_mm512_loadu_si512(strip + 16));
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
      const auto left =
          reinterpret_cast<__m512bh>(_mm512_set1_epi32(a.data[i * a.row + k * a.pair]));
      sum[i][0] = _mm512_dpbf16_ps(sum[i][0], left, one);
      sum[i][1] = _mm512_dpbf16_ps(sum[i][1], left, two);
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
    _mm512_storeu_ps(c + i * ldc, sum[i][0]);
    _mm512_storeu_ps(c + i * ldc + 16, sum[i][1]);
  }
}

// The rows of a strip in whole tiles, then in powers of two.
template <int kRows>
FASTFORMER_AVX512_BF16 void multiply_strip(std::int64_t rows, Left a, const std::int32_t* strip,
                                           std::int64_t pairs, float* c, std::int64_t ldc) {
  for (; rows >= kRows; rows -= kRows, c += kRows * ldc) {
    multiply_tile<kRows>(a, strip, pairs, c, ldc);
    a.data += kRows == kTileHeight ? a.tile : kRows * a.row;
  }
  if constexpr (kRows > 1) {
    constexpr int kFewer = std::bit_floor(static_cast<unsigned>(kRows - 1));
    multiply_strip<kFewer>(rows, a, strip, pairs, c, ldc);
  }
}

// C [rows, columns] += A B for one block; a last strip that is not whole goes through `edge`.
FASTFORMER_AVX512_BF16 void multiply_block(std::int64_t rows, std::int64_t columns, Left a,
                                           const std::int32_t* strip, std::int64_t pairs,
                                           std::vector<float>& edge, float* c, std::int64_t ldc) {
  for (std::int64_t first = 0; first < columns; first += kStrip, strip += kStrip * pairs) {
    if (first + kStrip <= columns) {
      multiply_strip<kTileHeight>(rows, a, strip, pairs, c + first, ldc);
      continue;
    }
    edge.assign(rows * kStrip, 0);
    multiply_strip<kTileHeight>(rows, a, strip, pairs, edge.data(), kStrip);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = first; j < columns; ++j) c[i * ldc + j] += edge[i * kStrip + j - first];
    }
  }
}

struct Buffers {
  Pairs left, right, strip;
  std::vector<float> edge;
};

// At least `size` long: its content is overwritten, and a vector that shrank would be set to zero
// when it grows again.
std::int32_t* with_room_for(std::int64_t size, Pairs& pairs) {
  if (static_cast<std::int64_t>(pairs.size()) < size) pairs.resize(size);
  return pairs.data();
}

// The block of A [rows, depth], unpacked.
FASTFORMER_AVX512_BF16 Left pack_left(const float* a, std::int64_t lda, std::int64_t depth,
                                      std::int64_t rows, Pairs& buffer) {
  const auto pairs = (depth + 1) / 2;
  auto* out = with_room_for(rows * pairs, buffer);
  pack_columns(a, lda, rows, depth, pairs, out);
  return {out, pairs, 1, kTileHeight * pairs};
}

// The block of A [depth, rows] in tiles [pairs][12].
FASTFORMER_AVX512_BF16 Left pack_left_flipped(const float* a, std::int64_t lda, std::int64_t depth,
                                              std::int64_t rows, Pairs& buffer) {
  const auto pairs = (depth + 1) / 2, tiles = (rows + kTileHeight - 1) / kTileHeight;
  // Vectors of 16 are written, the last four of each under the next.
  auto* out = with_room_for(tiles * kTileHeight * pairs + 4, buffer);
  for (std::int64_t t = 0; t < tiles; ++t) {
    pack_rows(a + t * kTileHeight, lda, depth,
              std::min<std::int64_t>(kTileHeight, rows - t * kTileHeight), kTileHeight,
              out + t * kTileHeight * pairs);
  }
  return {out, 1, kTileHeight, kTileHeight * pairs};
}

// out[k * width + j] = rows[j * stride + k] for four rows of four pairs.
FASTFORMER_AVX512_BF16 inline void transpose_square(const std::int32_t* rows, std::int64_t stride,
                                                    std::int32_t* out, std::int64_t width) {
  const auto row = [&](std::int64_t j) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows + j * stride));
  };
  const auto store = [&](std::int64_t k, __m128i values) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + k * width), values);
  };
  const auto low = _mm_unpacklo_epi32(row(0), row(1)),
             next_low = _mm_unpacklo_epi32(row(2), row(3));
  const auto high = _mm_unpackhi_epi32(row(0), row(1)),
             next_high = _mm_unpackhi_epi32(row(2), row(3));
  store(0, _mm_unpacklo_epi64(low, next_low));
  store(1, _mm_unpackhi_epi64(low, next_low));
  store(2, _mm_unpacklo_epi64(high, next_high));
  store(3, _mm_unpackhi_epi64(high, next_high));
}

// Pairs in the strips of `columns`.
std::int64_t right_size(std::int64_t depth, std::int64_t columns) {
  return (columns + kStrip - 1) / kStrip * kStrip * ((depth + 1) / 2);
}

// The block of op(B) [depth, columns] in strips [pairs][32].
FASTFORMER_AVX512_BF16 void pack_right(bool transposed, const float* b, std::int64_t ldb,
                                       std::int64_t depth, std::int64_t columns, Pairs& buffer,
                                       std::int32_t* out) {
  const auto pairs = (depth + 1) / 2;
  for (std::int64_t first = 0; first < columns; first += kStrip, out += kStrip * pairs) {
    const auto kept = std::min(kStrip, columns - first);
    if (!transposed) {
      pack_rows(b + first, ldb, depth, kept, kStrip, out);
      continue;
    }
    auto* strip = with_room_for(kStrip * pairs, buffer);
    pack_columns(b + first * ldb, ldb, kept, depth, pairs, strip);
    std::fill(strip + kept * pairs, strip + kStrip * pairs, 0);
    const auto whole = pairs / 4 * 4;
    for (std::int64_t k = 0; k < whole; k += 4) {
      for (std::int64_t j = 0; j < kStrip; j += 4) {
        transpose_square(strip + j * pairs + k, pairs, out + k * kStrip + j, kStrip);
      }
    }
    for (std::int64_t k = whole; k < pairs; ++k) {
      for (std::int64_t j = 0; j < kStrip; ++j) out[k * kStrip + j] = strip[j * pairs + k];
    }
  }
}

// y [n, columns] = start + x W^T with the strips of W.
FASTFORMER_AVX512_BF16 void multiply_packed(const std::uint8_t* packed, std::int64_t depth,
                                            std::int64_t columns, std::int64_t n, const float* x,
                                            Start<float> start, float* y) {
  thread_local Buffers buffers;
  const auto* const strips = reinterpret_cast<const std::int32_t*>(packed);
  for (std::int64_t i = 0; i < n; i += kBlockHeight) {
    const auto rows = std::min(kBlockHeight, n - i);
    float* out = y + i * columns;
    begin_product(start, rows, columns, out, columns);
    const auto block = pack_left(x + i * depth, depth, depth, rows, buffers.left);
    multiply_block(rows, columns, block, strips, (depth + 1) / 2, buffers.edge, out, columns);
  }
}

}  // namespace

bool has_avx512_bf16() {
  static const bool has =
      __builtin_cpu_supports("avx512bf16") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  return has;
}

FASTFORMER_AVX512_BF16 void bf16_product_avx512(Transpose transpose_a, Transpose transpose_b,
                                                std::int64_t m, std::int64_t n, std::int64_t k,
                                                const float* a, std::int64_t lda, const float* b,
                                                std::int64_t ldb, Start<float> start, float* c,
                                                std::int64_t ldc) {
  const bool left = transpose_a == Transpose::kYes, right = transpose_b == Transpose::kYes;
  thread_local Buffers buffers;  // grown once for each thread and kept
  constexpr std::int64_t kBlockDepth = 2 * kBlockPairs;
  if (k == 0) begin_product(start, m, n, c, ldc);
  for (std::int64_t j = 0; j < n; j += kBlockColumns) {
    const auto columns = std::min(kBlockColumns, n - j);
    for (std::int64_t p = 0; p < k; p += kBlockDepth) {
      const auto depth = std::min(kBlockDepth, k - p), pairs = (depth + 1) / 2;
      auto* const strips = with_room_for(right_size(depth, columns), buffers.right);
      pack_right(right, right ? b + j * ldb + p : b + p * ldb + j, ldb, depth, columns,
                 buffers.strip, strips);
      for (std::int64_t i = 0; i < m; i += kBlockHeight) {
        const auto rows = std::min(kBlockHeight, m - i);
        float* out = c + i * ldc + j;
        if (p == 0) begin_product(start.at(j), rows, columns, out, ldc);
        const auto block = left ? pack_left_flipped(a + p * lda + i, lda, depth, rows, buffers.left)
                                : pack_left(a + i * lda + p, lda, depth, rows, buffers.left);
        multiply_block(rows, columns, block, strips, pairs, buffers.edge, out, ldc);
      }
    }
  }
}

Bf16Packing bf16_packing_avx512() {
  return {
      .size =
          [](std::int64_t depth, std::int64_t columns) {
            return right_size(depth, columns) * static_cast<std::int64_t>(sizeof(std::int32_t));
          },
      .pack =
          [](const float* weight, std::int64_t depth, std::int64_t columns, std::uint8_t* packed) {
            Pairs buffer;
            pack_right(/*transposed=*/true, weight, depth, depth, columns, buffer,
                       reinterpret_cast<std::int32_t*>(packed));
          },
      .multiply = multiply_packed};
}

}  // namespace fastformer::kernels

#else

namespace fastformer::kernels {

bool has_avx512_bf16() { return false; }
void bf16_product_avx512(Transpose, Transpose, std::int64_t, std::int64_t, std::int64_t,
                         const float*, std::int64_t, const float*, std::int64_t, Start<float>,
                         float*, std::int64_t) {}
Bf16Packing bf16_packing_avx512() { return {}; }

}  // namespace fastformer::kernels

#endif
