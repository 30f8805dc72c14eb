#include "fastformer/kernels/products/blas_product.h"

#include <algorithm>
#include <vector>

#include "fastformer/base/loaded_function.h"
#include "fastformer/kernels/products/bf16_product.h"

namespace fastformer::kernels {
namespace {

// The functions of BLAS: C is [m, n] by columns, alpha op(A) op(B) + beta C.
template <class Operand, class Real>
using Blas = void(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                  const int* k, const Real* alpha, const Operand* a, const int* lda,
                  const Operand* b, const int* ldb, const Real* beta, Real* c, const int* ldc);

Blas<float, float>* sgemm() {
  static auto* const function = base::loaded_function<Blas<float, float>>("sgemm_");
  return function;
}
Blas<double, double>* dgemm() {
  static auto* const function = base::loaded_function<Blas<double, double>>("dgemm_");
  return function;
}
Blas<std::uint16_t, float>* bf16_gemm() {
  static auto* const function =
      base::loaded_function<Blas<std::uint16_t, float>>("gemm_bf16bf16f32_");
  return function;
}

const char* flag(Transpose transpose) { return transpose == Transpose::kYes ? "T" : "N"; }

// BLAS counts columns first: the row-major product A B is the column-major product B^T A^T.
template <class Operand, class Real>
void product(Blas<Operand, Real>* blas, Transpose transpose_a, Transpose transpose_b,
             std::int64_t m, std::int64_t n, std::int64_t k, const Operand* a, std::int64_t lda,
             const Operand* b, std::int64_t ldb, Start<Real> start, Real* c, std::int64_t ldc) {
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

bool has_blas() { return sgemm() != nullptr && dgemm() != nullptr; }
bool has_blas_bf16() { return bf16_gemm() != nullptr; }

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

void blas_bf16_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                       std::int64_t k, const float* a, std::int64_t lda, const float* b,
                       std::int64_t ldb, Start<float> start, float* c, std::int64_t ldc) {
  thread_local std::vector<std::uint16_t> left, right;  // grown once for each thread and kept
  const bool flip_a = transpose_a == Transpose::kYes, flip_b = transpose_b == Transpose::kYes;
  const auto stride_a = std::max<std::int64_t>(flip_a ? m : k, 1);
  const auto stride_b = std::max<std::int64_t>(flip_b ? k : n, 1);
  round_matrix(a, flip_a ? k : m, flip_a ? m : k, lda, left);
  round_matrix(b, flip_b ? n : k, flip_b ? k : n, ldb, right);
  product(bf16_gemm(), transpose_a, transpose_b, m, n, k, left.data(), stride_a, right.data(),
          stride_b, start, c, ldc);
}

}  // namespace fastformer::kernels
