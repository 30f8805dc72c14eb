#pragma once

#include <cstdint>

namespace fastformer::kernels {

/// How a matrix enters a product.
enum class Transpose { kNo, kYes };

/// C = alpha op(A) op(B) + beta C for row-major matrices: op(A) is [m, k], op(B) is [k, n], C is
/// [m, n]; `lda`, `ldb`, `ldc` are the distances between rows as stored. Runs in the BLAS that
/// LibTorch carries.
///
///   gemm(Transpose::kNo, Transpose::kYes, n, heads, d, 1.f, x, d, queries, d, 0.f, logits, heads);
void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
          std::int64_t k, float alpha, const float* a, std::int64_t lda, const float* b,
          std::int64_t ldb, float beta, float* c, std::int64_t ldc);
void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
          std::int64_t k, double alpha, const double* a, std::int64_t lda, const double* b,
          std::int64_t ldb, double beta, double* c, std::int64_t ldc);

}  // namespace fastformer::kernels
