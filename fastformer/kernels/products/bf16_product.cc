#include "fastformer/kernels/products/bf16_product.h"

#include <algorithm>
#include <vector>

#include "fastformer/kernels/products/amx.h"
#include "fastformer/kernels/products/amx_bf16.h"
#include "fastformer/kernels/products/avx512_bf16.h"
#include "fastformer/kernels/products/matrix_product.h"

namespace fastformer::kernels {
namespace {

// [rows, columns] at distance `stride`, rounded to contiguous rows.
void round_matrix(const float* from, std::int64_t rows, std::int64_t columns, std::int64_t stride,
                  std::vector<float>& out) {
  out.resize(rows * columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    std::transform(from + i * stride, from + i * stride + columns, out.begin() + i * columns,
                   [](float value) { return from_bf16(to_bf16(value)); });
  }
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

}  // namespace

bool has_bf16_products() { return has_amx() || has_avx512_bf16(); }

std::vector<Bf16Way> bf16_ways() {
  std::vector<Bf16Way> ways;
  if (has_amx()) ways.push_back(bf16_product_amx);
  if (has_avx512_bf16()) ways.push_back(bf16_product_avx512);
  ways.push_back(bf16_product_portable);
  return ways;
}

void bf16_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const float* a, std::int64_t lda, const float* b,
                  std::int64_t ldb, Start<float> start, float* c, std::int64_t ldc) {
  static const Bf16Way way = bf16_ways().front();
  way(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, start, c, ldc);
}

}  // namespace fastformer::kernels
