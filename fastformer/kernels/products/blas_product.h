#pragma once

#include <cstdint>

#include "fastformer/kernels/products/gemm.h"

namespace fastformer::kernels {

/// Whether the process has loaded a BLAS, as LibTorch's.
bool has_blas();

/// The product of `gemm.h`, computed by that BLAS. Call it only if has_blas().
template <class Real>
void blas_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const Real* a, std::int64_t lda, const Real* b, std::int64_t ldb,
                  Start<Real> start, Real* c, std::int64_t ldc);

}  // namespace fastformer::kernels
