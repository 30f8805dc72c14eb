#pragma once

#include <cstdint>

#include "fastformer/kernels/products/bf16_matrix.h"
#include "fastformer/kernels/products/gemm.h"

namespace fastformer::kernels {

/// Whether the CPU has AVX512-BF16.
bool has_avx512_bf16();

/// `bf16_product` with these instructions. Call it only if has_avx512_bf16().
void bf16_product_avx512(Transpose transpose_a, Transpose transpose_b, std::int64_t m,
                         std::int64_t n, std::int64_t k, const float* a, std::int64_t lda,
                         const float* b, std::int64_t ldb, Start<float> start, float* c,
                         std::int64_t ldc);

/// Bf16Matrix with these instructions. Use it only if has_avx512_bf16().
Bf16Packing bf16_packing_avx512();

}  // namespace fastformer::kernels
