#pragma once

#include <cstdint>

#include "fastformer/kernels/products/bf16_matrix.h"
#include "fastformer/kernels/products/gemm.h"
#include "fastformer/kernels/products/int8_product.h"

/// Products in the matrix units of Intel's CPUs (AMX). A unit has eight tiles of 16 rows of 64
/// bytes; one instruction multiplies two tiles and adds 16 x 16 sums to a third.
namespace fastformer::kernels {

/// Whether the CPU has AMX-BF16 and AMX-INT8 and Linux lets this process use them. The first call
/// requests this for the whole process.
bool has_amx();

/// `bf16_product` in matrix units. Call it only if has_amx().
void bf16_product_amx(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                      std::int64_t k, const float* a, std::int64_t lda, const float* b,
                      std::int64_t ldb, Start<float> start, float* c, std::int64_t ldc);

/// Bf16Matrix in matrix units. Use it only if has_amx().
Bf16Packing bf16_packing_amx();

/// An Int8Way in matrix units. Call it only if has_amx().
void int8_product_amx(const Int8Matrix& weight, std::int64_t n, const std::uint8_t* rows,
                      const float* row_scales, Start<float> start, float* y);

}  // namespace fastformer::kernels
