#include "fastformer/kernels/blas_product.h"

#include <algorithm>
#include <vector>

#include "fastformer/kernels/bf16_product.h"

// NOLINTBEGIN(readability-identifier-naming): the names of BLAS.
extern "C" {
void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
            const int* k, const float* alpha, const float* a, const int* lda, const float* b,
            const int* ldb, const float* beta, float* c, const int* ldc);
void dgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
            const int* k, const double* alpha, const double* a, const int* lda, const double* b,
            const int* ldb, const double* beta, double* c, const int* ldc);
void gemm_bf16bf16f32_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                       const int* k, const float* alpha, const std::uint16_t* a, const int* lda,
                       const std::uint16_t* b, const int* ldb, const float* beta, float* c,
                       const int* ldc);
}
// NOLINTEND(readability-identifier-naming)

namespace fastformer::kernels {
namespace {

const char* flag(Transpose transpose) { return transpose == Transpose::kYes ? "T" : "N"; }

// BLAS counts columns first: the row-major product A B is the column-major product B^T A^T.
template <class Operand, class Real, class Blas>
void product(Blas blas, Transpose transpose_a, Transpose transpose_b, std::int64_t m,
             std::int64_t n, std::int64_t k, const Operand* a, std::int64_t lda, const Operand* b,
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

// [rows, columns] at distance `stride`, rounded to contiguous rows.
void round_matrix(const float* from, std::int64_t rows, std::int64_t columns, std::int64_t stride,
                  std::vector<std::uint16_t>& out) {
  out.resize(rows * columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    std::transform(from + i * stride, from + i * stride + columns, out.begin() + i * columns,
                   to_bf16);
  }
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

void blas_bf16_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                       std::int64_t k, const float* a, std::int64_t lda, const float* b,
                       std::int64_t ldb, Start<float> start, float* c, std::int64_t ldc) {
  thread_local std::vector<std::uint16_t> left, right;  // grown once for each thread and kept
  const bool flip_a = transpose_a == Transpose::kYes, flip_b = transpose_b == Transpose::kYes;
  const auto stride_a = std::max<std::int64_t>(flip_a ? m : k, 1);
  const auto stride_b = std::max<std::int64_t>(flip_b ? k : n, 1);
  round_matrix(a, flip_a ? k : m, flip_a ? m : k, lda, left);
  round_matrix(b, flip_b ? n : k, flip_b ? k : n, ldb, right);
  product(gemm_bf16bf16f32_, transpose_a, transpose_b, m, n, k, left.data(), stride_a, right.data(),
          stride_b, start, c, ldc);
}

}  // namespace fastformer::kernels
