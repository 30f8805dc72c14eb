#pragma once

#include <cstdint>

#include "fastformer/kernels/gemm.h"

namespace fastformer::kernels {

/// The product of `gemm.h` by the BLAS that LibTorch carries.
template <class Real>
void blas_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const Real* a, std::int64_t lda, const Real* b, std::int64_t ldb,
                  Start<Real> start, Real* c, std::int64_t ldc);

}  // namespace fastformer::kernels
