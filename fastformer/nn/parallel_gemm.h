#pragma once

#include <algorithm>
#include <vector>

#include "fastformer/kernels/parallel.h"
#include "fastformer/kernels/products/gemm.h"

/// Products of `kernels/products/gemm.h` that use all threads of the scope (`kernels/parallel.h`),
/// or one thread if the caller already runs in parallel. All matrices are row-major.
namespace fastformer::nn {

/// C [m, n] = start + op(A) op(B). The threads share the longer side of C, whose rows are `ldc`
/// apart. For products that have too few rows of A, or too little depth, to keep all threads busy.
template <class Real>
void gemm_by_result(kernels::Transpose transpose_a, kernels::Transpose transpose_b, std::int64_t m,
                    std::int64_t n, std::int64_t k, const Real* a, std::int64_t lda, const Real* b,
                    std::int64_t ldb, kernels::Start<Real> start, Real* c, std::int64_t ldc,
                    kernels::Operands operands) {
  constexpr std::int64_t kLeast = 48;
  if (m == 0 || n == 0) return;  // an empty C may be a null pointer
  const auto step_a = transpose_a == kernels::Transpose::kNo ? lda : 1;
  const auto step_b = transpose_b == kernels::Transpose::kNo ? 1 : ldb;
  kernels::parallel_for(0, std::max(m, n), kLeast, [&](std::int64_t begin, std::int64_t end) {
    if (m >= n) {
      kernels::gemm(transpose_a, transpose_b, end - begin, n, k, a + begin * step_a, lda, b, ldb,
                    start, c + begin * ldc, ldc, operands);
      return;
    }
    kernels::gemm(transpose_a, transpose_b, m, end - begin, k, a, lda, b + begin * step_b, ldb,
                  start.at(begin), c + begin, ldc, operands);
  });
}

/// C [m, n] = start + A op(B), where A [m, k] and C are contiguous. The threads share the rows if
/// there are at least as many rows as columns, so that each reads its own part of A; else, as for
/// few rows and a whole vocabulary, the columns, so that each packs its own part of B.
template <class Real>
void gemm_by_rows(kernels::Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
                  const Real* a, const Real* b, std::int64_t ldb, kernels::Start<Real> start,
                  Real* c, kernels::Operands operands) {
  gemm_by_result(kernels::Transpose::kNo, transpose_b, m, n, k, a, k, b, ldb, start, c, n,
                 operands);
}

/// C [m, n] = A^T B with A [k, m] and B [k, n], for large k: the threads share the k rows, and
/// their sums are added in order. The last bits of the result depend on the number of threads.
template <class Real>
void gemm_by_depth(std::int64_t m, std::int64_t n, std::int64_t k, const Real* a, const Real* b,
                   Real* c, kernels::Operands operands) {
  constexpr std::int64_t kLeastDepth = 256;
  const auto threads = kernels::in_parallel_region() ? 1 : kernels::thread_count();
  const auto parts = std::clamp<std::int64_t>(k / kLeastDepth, 1, threads);
  std::vector<Real> sums((parts - 1) * m * n);
  kernels::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto part = begin; part < end; ++part) {
      const auto first = k * part / parts, last = k * (part + 1) / parts;
      kernels::gemm(kernels::Transpose::kYes, kernels::Transpose::kNo, m, n, last - first,
                    a + first * m, m, b + first * n, n, {},
                    part == 0 ? c : &sums[(part - 1) * m * n], n, operands);
    }
  });
  for (std::int64_t part = 1; part < parts; ++part) {
    const auto* from = &sums[(part - 1) * m * n];
    for (std::int64_t i = 0; i < m * n; ++i) c[i] += from[i];
  }
}

}  // namespace fastformer::nn
