#pragma once

#include <cstdint>

/// Dequantizes a row of a table and adds it to `to` [count]:
///   to[c] += scale * q[c]
namespace fastformer::kernels {

void add_int8_row(const std::int8_t* row, float scale, std::int64_t count, float* to);

/// Two numbers per byte, the first in the lower half, each stored as q + 8.
void add_int4_row(const std::uint8_t* row, float scale, std::int64_t count, float* to);

}  // namespace fastformer::kernels
