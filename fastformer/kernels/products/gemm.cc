#include "fastformer/kernels/products/gemm.h"

#include "fastformer/kernels/products/bf16_product.h"
#include "fastformer/kernels/products/matrix_product.h"

namespace fastformer::kernels {

void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
          std::int64_t k, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
          Start<float> start, float* c, std::int64_t ldc, Operands operands) {
  auto* const product = operands == Operands::kBf16 ? bf16_product : matrix_product<float>;
  product(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, start, c, ldc);
}

void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
          std::int64_t k, const double* a, std::int64_t lda, const double* b, std::int64_t ldb,
          Start<double> start, double* c, std::int64_t ldc, Operands /*operands*/) {
  matrix_product<double>(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, start, c, ldc);
}

}  // namespace fastformer::kernels
