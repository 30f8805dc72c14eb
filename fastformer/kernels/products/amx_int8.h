#pragma once

#include <cstdint>

#include "fastformer/kernels/products/int8_product.h"

namespace fastformer::kernels {

/// An Int8Way in matrix units. Call it only if has_amx().
void int8_product_amx(const Int8Matrix& weight, std::int64_t n, const std::uint8_t* rows,
                      const float* row_scales, Start<float> start, float* y);

}  // namespace fastformer::kernels
