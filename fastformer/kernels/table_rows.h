#pragma once

#include <cstdint>

/// Rows of quantized tables, as numbers that are added to `to` [count]:
///   to[c] += scale * q[c]
namespace fastformer::kernels {

void add_int8_row(const std::int8_t* row, float scale, std::int64_t count, float* to);

/// Two numbers per byte, the first in the lower half, each 8 more than q.
void add_int4_row(const std::uint8_t* row, float scale, std::int64_t count, float* to);

}  // namespace fastformer::kernels
