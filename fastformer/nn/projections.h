#pragma once

#include <ATen/ATen.h>

#include <initializer_list>
#include <vector>

#include "fastformer/nn/linear.h"

namespace fastformer::nn {

/// Several linear layers of the same rows: x [T, k] -> x W^T + b [T, n] for each of them.
///
///   const auto parts = project(x, {query_, key_, value_});
///
/// They share one backward pass, in which each adds its part of the gradient of x in place, so that
/// no sums of whole batches are formed. Rounds as `Linear` does; throws c10::Error when shapes or
/// types disagree.
std::vector<at::Tensor> project(const at::Tensor& x, std::initializer_list<Linear> layers);

}  // namespace fastformer::nn
