#pragma once

#include <cstdint>

#include "fastformer/base/config_field.h"
#include "fastformer/kernels/products/bf16_product.h"

namespace fastformer::kernels {

/// The precision of token rows in the products of a model: fp32, or rounded to bf16. Sums,
/// softmaxes, norms, pooled vectors, weights and the optimizer are always fp32, and so are products
/// that combine parameter matrices. `kAuto` selects the faster one for this CPU.
enum class Precision : std::uint8_t { kFp32, kBf16, kAuto };

/// Replaces kAuto with kBf16 if the CPU has instructions for bf16 products, else with kFp32.
inline Precision resolve_precision(Precision precision) {
  if (precision != Precision::kAuto) return precision;
  return has_bf16_products() ? Precision::kBf16 : Precision::kFp32;
}

}  // namespace fastformer::kernels

namespace fastformer::base {
template <>
inline constexpr std::array kWords<kernels::Precision> = {"fp32", "bf16", "auto"};
}  // namespace fastformer::base
