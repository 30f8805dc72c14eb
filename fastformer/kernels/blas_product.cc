#include "fastformer/kernels/blas_product.h"

#include <algorithm>

// NOLINTBEGIN(readability-identifier-naming): the names of BLAS.
extern "C" {
void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
            const int* k, const float* alpha, const float* a, const int* lda, const float* b,
            const int* ldb, const float* beta, float* c, const int* ldc);
void dgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
            const int* k, const double* alpha, const double* a, const int* lda, const double* b,
            const int* ldb, const double* beta, double* c, const int* ldc);
}
// NOLINTEND(readability-identifier-naming)

namespace fastformer::kernels {
namespace {

const char* flag(Transpose transpose) { return transpose == Transpose::kYes ? "T" : "N"; }

// BLAS counts columns first: the row-major product A B is the column-major product B^T A^T.
template <class Real, class Blas>
void product(Blas blas, Transpose transpose_a, Transpose transpose_b, std::int64_t m,
             std::int64_t n, std::int64_t k, const Real* a, std::int64_t lda, const Real* b,
             std::int64_t ldb, Start<Real> start, Real* c, std::int64_t ldc) {
  if (m == 0 || n == 0) return;
  if (start.row != nullptr) {
    for (std::int64_t i = 0; i < m; ++i) std::copy_n(start.row, n, c + i * ldc);
  }
  const int rows = static_cast<int>(n), columns = static_cast<int>(m), depth = static_cast<int>(k);
  const int stride_a = static_cast<int>(lda), stride_b = static_cast<int>(ldb),
            stride_c = static_cast<int>(ldc);
  const Real alpha = 1, beta = start.keep || start.row != nullptr ? 1 : 0;
  blas(flag(transpose_b), flag(transpose_a), &rows, &columns, &depth, &alpha, b, &stride_b, a,
       &stride_a, &beta, c, &stride_c);
}

}  // namespace

template <>
void blas_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const float* a, std::int64_t lda, const float* b,
                  std::int64_t ldb, Start<float> start, float* c, std::int64_t ldc) {
  product(sgemm_, transpose_a, transpose_b, m, n, k, a, lda, b, ldb, start, c, ldc);
}

template <>
void blas_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const double* a, std::int64_t lda, const double* b,
                  std::int64_t ldb, Start<double> start, double* c, std::int64_t ldc) {
  product(dgemm_, transpose_a, transpose_b, m, n, k, a, lda, b, ldb, start, c, ldc);
}

}  // namespace fastformer::kernels
