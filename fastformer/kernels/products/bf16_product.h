#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "fastformer/kernels/products/gemm.h"

namespace fastformer::kernels {

/// Rounds to the nearest bf16 (the upper 16 bits of a float), ties to even. NaN stays NaN.
constexpr std::uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (value != value) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);  // stays quiet
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

constexpr float from_bf16(std::uint16_t value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

/// Whether the CPU has instructions for bf16 products (AVX512-BF16 or AMX-BF16). Without them, bf16
/// is not faster.
bool has_bf16_products();

/// The product of `gemm.h` with operands rounded to bf16 (to nearest, ties to even) and sums in
/// fp32, on the calling thread. It runs in AMX's matrix units or with AVX512-BF16 where the CPU has
/// them. Other CPUs multiply the rounded operands in fp32, which has the same precision but is not
/// faster.
void bf16_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const float* a, std::int64_t lda, const float* b,
                  std::int64_t ldb, Start<float> start, float* c, std::int64_t ldc);

using Bf16Way = void (*)(Transpose transpose_a, Transpose transpose_b, std::int64_t m,
                         std::int64_t n, std::int64_t k, const float* a, std::int64_t lda,
                         const float* b, std::int64_t ldb, Start<float> start, float* c,
                         std::int64_t ldc);

/// The implementations that this CPU can use, the fastest first; the last is plain C++ for any CPU.
/// For tests.
std::vector<Bf16Way> bf16_ways();

}  // namespace fastformer::kernels
