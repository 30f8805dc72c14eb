#pragma once

#include <bit>
#include <cstdint>

#include "fastformer/kernels/gemm.h"

namespace fastformer::kernels {

/// The upper half of the nearest float with 8 significant bits, of two the even one. NaN stays NaN.
constexpr std::uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (value != value) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);  // stays quiet
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

constexpr float from_bf16(std::uint16_t value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

/// Whether the CPU has instructions for bf16 products (AVX512-BF16 or AMX-BF16), without which bf16
/// is not faster.
bool has_bf16_products();

/// The product of `gemm.h` on operands that are rounded to bf16 (to nearest, ties to even), with
/// sums in fp32, on the calling thread. With AMX-BF16 it calls LibTorch's BLAS, with AVX512-BF16
/// its own code; on other CPUs the operands are rounded and multiplied as fp32, with the same
/// precision but no faster.
void bf16_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const float* a, std::int64_t lda, const float* b,
                  std::int64_t ldb, Start<float> start, float* c, std::int64_t ldc);

/// The same in plain C++ on any CPU; for tests and for CPUs without the instruction.
void bf16_product_portable(Transpose transpose_a, Transpose transpose_b, std::int64_t m,
                           std::int64_t n, std::int64_t k, const float* a, std::int64_t lda,
                           const float* b, std::int64_t ldb, Start<float> start, float* c,
                           std::int64_t ldc);

}  // namespace fastformer::kernels
