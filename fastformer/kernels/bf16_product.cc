#include "fastformer/kernels/bf16_product.h"

#include <algorithm>
#include <vector>

#include "fastformer/kernels/begin_product.h"
#include "fastformer/kernels/bf16.h"
#include "fastformer/kernels/blas_product.h"
#include "fastformer/kernels/matrix_product.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fastformer::kernels {
namespace {

// [rows, columns] at distance `stride`, rounded and side by side.
void round_matrix(const float* from, std::int64_t rows, std::int64_t columns, std::int64_t stride,
                  std::vector<float>& out) {
  out.resize(rows * columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    std::transform(from + i * stride, from + i * stride + columns, out.begin() + i * columns,
                   [](float value) { return from_bf16(to_bf16(value)); });
  }
}

#if defined(__x86_64__)

#define FASTFORMER_AVX512_BF16 \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

// A strip of 32 columns is two vectors; a tile of C is 12 x 2 of the 32 registers. Depth counts
// pairs: the instruction adds two products to each sum.
constexpr std::int64_t kStrip = 32, kBlockPairs = 256, kBlockColumns = 256, kBlockHeight = 240;
constexpr int kTileHeight = 12;

using Pairs = std::vector<std::int32_t>;  // two bf16 each, the first in the lower half

// GCC 12 takes the plain forms of some instructions for reads of what was never set.
constexpr __mmask16 kAll = 0xFFFF;

FASTFORMER_AVX512_BF16 inline __m512i rounded_16(const float* from, std::int64_t count) {
  const auto mask = static_cast<__mmask16>(count >= 16 ? 0xFFFF : (1U << count) - 1);
  const auto rows = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, from));
  return _mm512_maskz_cvtepu16_epi32(kAll, reinterpret_cast<__m256i>(rows));
}

// Pairs of the rows k and k + 1 of a [depth, columns] matrix, for one vector of columns.
FASTFORMER_AVX512_BF16 inline __m512i pair_16(const float* from, std::int64_t stride,
                                              bool has_second, std::int64_t count) {
  const auto first = rounded_16(from, count);
  if (!has_second) return first;
  const auto second = rounded_16(from + stride, count);
  return _mm512_or_si512(first, _mm512_maskz_slli_epi32(kAll, second, 16));
}

// [depth, columns] -> out [pairs][width] at distance `width`; columns past the last are zero.
FASTFORMER_AVX512_BF16 void pack_rows(const float* from, std::int64_t stride, std::int64_t depth,
                                      std::int64_t columns, std::int64_t width, std::int32_t* out) {
  for (std::int64_t k = 0; k < depth; k += 2, from += 2 * stride, out += width) {
    for (std::int64_t j = 0; j < width; j += 16) {
      const auto count = std::clamp<std::int64_t>(columns - j, 0, 16);
      _mm512_storeu_si512(out + j, pair_16(from + j, stride, k + 1 < depth, count));
    }
  }
}

// [rows, depth] -> out [rows][pairs]: rows are rounded as they lie.
FASTFORMER_AVX512_BF16 void pack_columns(const float* from, std::int64_t stride, std::int64_t rows,
                                         std::int64_t depth, std::int64_t pairs,
                                         std::int32_t* out) {
  for (std::int64_t i = 0; i < rows; ++i, from += stride, out += pairs) {
    for (std::int64_t k = 0; k < 2 * pairs; k += 16) {
      const auto count = std::clamp<std::int64_t>(depth - k, 0, 16);
      const auto mask = static_cast<__mmask16>(count >= 16 ? 0xFFFF : (1U << count) - 1);
      const auto half = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, from + k));
      const auto kept = static_cast<__mmask8>((1U << std::min<std::int64_t>(8, pairs - k / 2)) - 1);
      _mm256_mask_storeu_epi32(out + k / 2, kept, reinterpret_cast<__m256i>(half));
    }
  }
}

// Pair k of row i of A lies at data[i * row + k * pair].
struct Left {
  const std::int32_t* data;
  std::int64_t row, pair;
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

template <int kRows>
FASTFORMER_AVX512_BF16 void multiply_strip(std::int64_t rows, Left a, const std::int32_t* strip,
                                           std::int64_t pairs, float* c, std::int64_t ldc) {
  for (; rows >= kRows; rows -= kRows, a.data += kRows * a.row, c += kRows * ldc) {
    multiply_tile<kRows>(a, strip, pairs, c, ldc);
  }
  if constexpr (kRows > 1) multiply_strip<kRows / 2>(rows, a, strip, pairs, c, ldc);
}

// C [rows, columns] += A B for one block; a last strip that is not whole goes through `edge`.
FASTFORMER_AVX512_BF16 void multiply_block(std::int64_t rows, std::int64_t columns, Left a,
                                           const Pairs& strips, std::int64_t pairs,
                                           std::vector<float>& edge, float* c, std::int64_t ldc) {
  const std::int32_t* strip = strips.data();
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

// The block of op(B) [depth, columns] in strips [pairs][32].
FASTFORMER_AVX512_BF16 void pack_right(bool transposed, const float* b, std::int64_t ldb,
                                       std::int64_t depth, std::int64_t columns, Buffers& buffers) {
  const auto pairs = (depth + 1) / 2;
  buffers.right.resize((columns + kStrip - 1) / kStrip * kStrip * pairs);
  auto* out = buffers.right.data();
  for (std::int64_t first = 0; first < columns; first += kStrip, out += kStrip * pairs) {
    const auto kept = std::min(kStrip, columns - first);
    if (!transposed) {
      pack_rows(b + first, ldb, depth, kept, kStrip, out);
      continue;
    }
    buffers.strip.resize(kStrip * pairs);
    pack_columns(b + first * ldb, ldb, kept, depth, pairs, buffers.strip.data());
    for (std::int64_t k = 0; k < pairs; ++k) {
      for (std::int64_t j = 0; j < kept; ++j) {
        out[k * kStrip + j] = buffers.strip[j * pairs + k];
      }
      std::fill(out + k * kStrip + kept, out + (k + 1) * kStrip, 0);
    }
  }
}

FASTFORMER_AVX512_BF16 void product(bool left, bool right, std::int64_t m, std::int64_t n,
                                    std::int64_t k, const float* a, std::int64_t lda,
                                    const float* b, std::int64_t ldb, Start<float> start, float* c,
                                    std::int64_t ldc) {
  thread_local Buffers buffers;  // grown once for each thread and kept
  constexpr std::int64_t kBlockDepth = 2 * kBlockPairs;
  if (k == 0) begin_product(start, 0, m, n, c, ldc);
  for (std::int64_t j = 0; j < n; j += kBlockColumns) {
    const auto columns = std::min(kBlockColumns, n - j);
    for (std::int64_t p = 0; p < k; p += kBlockDepth) {
      const auto depth = std::min(kBlockDepth, k - p), pairs = (depth + 1) / 2;
      pack_right(right, right ? b + j * ldb + p : b + p * ldb + j, ldb, depth, columns, buffers);
      for (std::int64_t i = 0; i < m; i += kBlockHeight) {
        const auto rows = std::min(kBlockHeight, m - i);
        float* out = c + i * ldc + j;
        if (p == 0) begin_product(start, j, rows, columns, out, ldc);
        const auto width = (rows + 15) / 16 * 16;
        buffers.left.resize(width * pairs);
        Left block{buffers.left.data(), pairs, 1};
        if (left) {
          pack_rows(a + p * lda + i, lda, depth, rows, width, buffers.left.data());
          block = {buffers.left.data(), 1, width};
        } else {
          pack_columns(a + i * lda + p, lda, rows, depth, pairs, buffers.left.data());
        }
        multiply_block(rows, columns, block, buffers.right, pairs, buffers.edge, out, ldc);
      }
    }
  }
}

#endif  // __x86_64__

// Intel's matrix units, which their BLAS knows how to use.
bool has_matrix_units() {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_is("intel") != 0 && __builtin_cpu_supports("amx-bf16") != 0;
  return has;
#else
  return false;
#endif
}

}  // namespace

bool has_bf16_products() {
  if (has_matrix_units()) return true;
#if defined(__x86_64__)
  static const bool has =
      __builtin_cpu_supports("avx512bf16") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  return has;
#else
  return false;
#endif
}

void bf16_product_portable(Transpose transpose_a, Transpose transpose_b, std::int64_t m,
                           std::int64_t n, std::int64_t k, const float* a, std::int64_t lda,
                           const float* b, std::int64_t ldb, Start<float> start, float* c,
                           std::int64_t ldc) {
  thread_local std::vector<float> left, right;
  const bool flip_a = transpose_a == Transpose::kYes, flip_b = transpose_b == Transpose::kYes;
  round_matrix(a, flip_a ? k : m, flip_a ? m : k, lda, left);
  round_matrix(b, flip_b ? n : k, flip_b ? k : n, ldb, right);
  matrix_product<float>(transpose_a, transpose_b, m, n, k, left.data(), flip_a ? m : k,
                        right.data(), flip_b ? k : n, start, c, ldc);
}

void bf16_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const float* a, std::int64_t lda, const float* b,
                  std::int64_t ldb, Start<float> start, float* c, std::int64_t ldc) {
  if (has_matrix_units()) {
    blas_bf16_product(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, start, c, ldc);
    return;
  }
#if defined(__x86_64__)
  if (has_bf16_products()) {
    product(transpose_a == Transpose::kYes, transpose_b == Transpose::kYes, m, n, k, a, lda, b, ldb,
            start, c, ldc);
    return;
  }
#endif
  bf16_product_portable(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, start, c, ldc);
}

}  // namespace fastformer::kernels
