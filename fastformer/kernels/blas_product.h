#pragma once

#include <cstdint>

#include "fastformer/kernels/gemm.h"

namespace fastformer::kernels {

/// The product of `gemm.h` by LibTorch's BLAS.
template <class Real>
void blas_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const Real* a, std::int64_t lda, const Real* b, std::int64_t ldb,
                  Start<Real> start, Real* c, std::int64_t ldc);

/// The same for operands rounded to bf16, with sums in fp32: MKL's extension of BLAS, which uses
/// matrix units if the CPU has them, else vectors.
void blas_bf16_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                       std::int64_t k, const float* a, std::int64_t lda, const float* b,
                       std::int64_t ldb, Start<float> start, float* c, std::int64_t ldc);

}  // namespace fastformer::kernels
