#pragma once

#include <cstdint>

#include "fastformer/kernels/products/gemm.h"

namespace fastformer::kernels {

/// Whether the process has loaded a BLAS, as LibTorch's.
bool has_blas();
/// Whether it has MKL's product of bf16 operands.
bool has_blas_bf16();

/// The product of `gemm.h`, computed by that BLAS. Call it only if has_blas().
template <class Real>
void blas_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const Real* a, std::int64_t lda, const Real* b, std::int64_t ldb,
                  Start<Real> start, Real* c, std::int64_t ldc);

/// The same with operands rounded to bf16 and sums in fp32, by MKL's extension of BLAS. It uses
/// matrix units if the CPU has them, else vector instructions. Call it only if has_blas_bf16().
void blas_bf16_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                       std::int64_t k, const float* a, std::int64_t lda, const float* b,
                       std::int64_t ldb, Start<float> start, float* c, std::int64_t ldc);

}  // namespace fastformer::kernels
