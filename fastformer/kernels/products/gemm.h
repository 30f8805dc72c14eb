#pragma once

#include <cstdint>

namespace fastformer::kernels {

/// Whether a matrix is transposed in a product.
enum class Transpose { kNo, kYes };

/// The initial value of a product: zero, the row [n] for each row of C, or (`keep`) C itself.
template <class Real>
struct Start {
  const Real* row = nullptr;
  bool keep = false;

  /// For the columns of C from `column` on.
  Start at(std::int64_t column) const { return {row == nullptr ? nullptr : row + column, keep}; }
};

/// The precision of A and B in a product of floats. Sums are always fp32.
enum class Operands { kFloat, kBf16 };

/// C = start + op(A) op(B) for row-major matrices: op(A) is [m, k], op(B) is [k, n], C is [m, n];
/// `lda`, `ldb`, `ldc` are the distances between rows as stored.
///
/// Products of bf16 operands run in `bf16_product`, others in `matrix_product`; doubles are never
/// rounded. They run on the calling thread. To use all cores, callers give each thread a part of
/// the rows of C.
///
///   gemm(Transpose::kNo, Transpose::kYes, n, heads, d, x, d, queries, d, {}, logits, heads);
void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
          std::int64_t k, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
          Start<float> start, float* c, std::int64_t ldc, Operands operands = Operands::kFloat);
void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
          std::int64_t k, const double* a, std::int64_t lda, const double* b, std::int64_t ldb,
          Start<double> start, double* c, std::int64_t ldc, Operands operands = Operands::kFloat);

}  // namespace fastformer::kernels
