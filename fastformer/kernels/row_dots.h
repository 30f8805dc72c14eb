#pragma once

#include <cstdint>

namespace fastformer::kernels {

/// y[i] = start + x_i . w for the rows of x [n, d] and one vector w [d]: a layer with one output.
void row_dots(const float* x, const float* w, float start, std::int64_t n, std::int64_t width,
              float* y);

}  // namespace fastformer::kernels
