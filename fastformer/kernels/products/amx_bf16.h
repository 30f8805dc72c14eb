#pragma once

#include <cstdint>

#include "fastformer/kernels/products/bf16_matrix.h"
#include "fastformer/kernels/products/gemm.h"

namespace fastformer::kernels {

/// `bf16_product` in matrix units. Call it only if has_amx().
void bf16_product_amx(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                      std::int64_t k, const float* a, std::int64_t lda, const float* b,
                      std::int64_t ldb, Start<float> start, float* c, std::int64_t ldc);

/// Bf16Matrix in matrix units. Use it only if has_amx().
Bf16Packing bf16_packing_amx();

}  // namespace fastformer::kernels
