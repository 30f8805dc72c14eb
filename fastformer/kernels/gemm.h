#pragma once

#include <cstdint>

namespace fastformer::kernels {

/// How a matrix enters a product.
enum class Transpose { kNo, kYes };

/// What a product is added to: zero, each row of C to a given row [n], or C as it is.
template <class Real>
struct Start {
  const Real* row = nullptr;
  bool keep = false;
};

/// How the elements of A and B enter a product of floats; sums are fp32 in either case.
enum class Operands { kFloat, kBf16 };

/// C = start + op(A) op(B) for row-major matrices: op(A) is [m, k], op(B) is [k, n], C is [m, n];
/// `lda`, `ldb`, `ldc` are the distances between rows as stored.
///
/// Operands in bf16 go through `bf16_product`; doubles are never rounded. Otherwise, on Intel's
/// CPUs this is the BLAS that LibTorch carries, which takes all threads it may; on others it is
/// `matrix_product`, on the calling thread. Callers that want all cores everywhere give each
/// thread a part of the rows of C.
///
///   gemm(Transpose::kNo, Transpose::kYes, n, heads, d, x, d, queries, d, {}, logits, heads);
void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
          std::int64_t k, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
          Start<float> start, float* c, std::int64_t ldc, Operands operands = Operands::kFloat);
void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
          std::int64_t k, const double* a, std::int64_t lda, const double* b, std::int64_t ldb,
          Start<double> start, double* c, std::int64_t ldc, Operands operands = Operands::kFloat);

}  // namespace fastformer::kernels
