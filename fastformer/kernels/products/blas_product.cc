#include "fastformer/kernels/products/blas_product.h"

#include <algorithm>

#include "fastformer/base/loaded_function.h"

namespace fastformer::kernels {
namespace {

// The functions of BLAS: C is [m, n] by columns, alpha op(A) op(B) + beta C.
template <class Real>
using Blas = void(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                  const int* k, const Real* alpha, const Real* a, const int* lda,
                  const Real* b, const int* ldb, const Real* beta, Real* c, const int* ldc);

Blas<float>* sgemm() {
  static auto* const function = base::loaded_function<Blas<float>>("sgemm_");
  return function;
}
Blas<double>* dgemm() {
  static auto* const function = base::loaded_function<Blas<double>>("dgemm_");
  return function;
}
const char* flag(Transpose transpose) { return transpose == Transpose::kYes ? "T" : "N"; }

// BLAS counts columns first: the row-major product A B is the column-major product B^T A^T.
template <class Real>
void product(Blas<Real>* blas, Transpose transpose_a, Transpose transpose_b,
             std::int64_t m, std::int64_t n, std::int64_t k, const Real* a, std::int64_t lda,
             const Real* b, std::int64_t ldb, Start<Real> start, Real* c, std::int64_t ldc) {
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

bool has_blas() { return sgemm() != nullptr && dgemm() != nullptr; }

template <>
void blas_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const float* a, std::int64_t lda, const float* b,
                  std::int64_t ldb, Start<float> start, float* c, std::int64_t ldc) {
  product(sgemm(), transpose_a, transpose_b, m, n, k, a, lda, b, ldb, start, c, ldc);
}

template <>
void blas_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const double* a, std::int64_t lda, const double* b,
                  std::int64_t ldb, Start<double> start, double* c, std::int64_t ldc) {
  product(dgemm(), transpose_a, transpose_b, m, n, k, a, lda, b, ldb, start, c, ldc);
}

}  // namespace fastformer::kernels
