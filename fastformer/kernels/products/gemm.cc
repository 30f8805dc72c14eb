#include "fastformer/kernels/products/gemm.h"

#include "fastformer/kernels/products/bf16_product.h"
#include "fastformer/kernels/products/blas_product.h"
#include "fastformer/kernels/products/matrix_product.h"

namespace fastformer::kernels {
namespace {

// MKL, LibTorch's BLAS, is the fastest on Intel's CPUs; on others it reaches half of the peak.
bool blas_is_faster() {
#if defined(__x86_64__)
  static const bool faster = __builtin_cpu_is("intel") != 0 && has_blas();
  return faster;
#else
  return false;
#endif
}

}  // namespace

void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
          std::int64_t k, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
          Start<float> start, float* c, std::int64_t ldc, Operands operands) {
  const auto product = operands == Operands::kBf16 ? bf16_product
                       : blas_is_faster()          ? blas_product<float>
                                                   : matrix_product<float>;
  product(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, start, c, ldc);
}

void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
          std::int64_t k, const double* a, std::int64_t lda, const double* b, std::int64_t ldb,
          Start<double> start, double* c, std::int64_t ldc, Operands /*operands*/) {
  const auto product = blas_is_faster() ? blas_product<double> : matrix_product<double>;
  product(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, start, c, ldc);
}

}  // namespace fastformer::kernels
