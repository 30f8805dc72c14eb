#pragma once

#include <ATen/ATen.h>

#include "fastformer/kernels/activation.h"
#include "fastformer/nn/layers/linear.h"

namespace fastformer::nn {

/// The feed-forward block of a layer (Vaswani et al., arXiv 1706.03762, section 3.3):
///   y = W2 f(W1 x + b1) + b2
/// x [T, d], input [f, d] with bias [f], output [e, f] with bias [e] -> [T, e]. Blocks of rows pass
/// through both products and the activation while they are in the cache. If gradients are needed, x
/// and W1 x + b1 are stored for the backward pass. Float or double; throws c10::Error if shapes or
/// types disagree.
at::Tensor feed_forward(const at::Tensor& x, const Linear& input, const Linear& output,
                        kernels::Activation activation);

}  // namespace fastformer::nn
