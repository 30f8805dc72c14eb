#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// Max pooling over blocks of 3 x 3 x 3 places of relu(convolution of kernel 3, padding 1), see
/// kernels/cube_convolution.h. Cubes have equal sizes, but only their first slices are given:
///
///   x [T, height, width, c]: `offsets` gives the slices of each cube; missing slices are zero,
///   up to `depth` slices. weight [f, c, 3, 3, 3], bias [f]
///   -> [cubes, ceil(depth / 3), ceil(height / 3), ceil(width / 3), f]
///
/// Equal to PyTorch's max_pool3d(relu(conv3d(.))) with ceil_mode, channels last, but the backward
/// pass visits only the maximum of each block. Equal numbers of threads give equal bits. Throws
/// c10::Error for other shapes and for a cube with more than `depth` slices.
at::Tensor convolve_cubes(const at::Tensor& x, const Offsets& offsets, std::int64_t depth,
                          const at::Tensor& weight, const at::Tensor& bias);

}  // namespace fastformer::nn
