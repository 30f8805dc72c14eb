#pragma once

#include <ATen/ATen.h>

#include <string>

#include "fastformer/nn/parameter_store.h"

namespace fastformer::nn {

/// Layer normalization over the last dimension (Ba et al., arXiv 1607.06450), together with the
/// preceding dropout and residual. The default epsilon of 1e-12 is that of BERT and of the authors'
/// code.
///   y = norm(residual + dropout(x)) * weight + bias
/// Parameters: `<name>.weight` [d], initially ones, and `<name>.bias` [d], initially zeros.
struct LayerNorm {
  LayerNorm() = default;
  LayerNorm(ParameterStore& store, const std::string& name, std::int64_t width, double eps = 1e-12)
      : weight(store.constant(name + ".weight", {width}, 1)),
        bias(store.constant(name + ".bias", {width}, 0)),
        epsilon(eps) {}

  /// x [T, d] -> [T, d].
  at::Tensor forward(const at::Tensor& x) const { return forward(x, at::Tensor(), 0); }

  /// The same for residual + dropout(x); `residual` [T, d] may be undefined. For dropout see
  /// `layers/dropout.h`. Needs one pass over memory and stores the sum for the backward pass if
  /// gradients are needed. Float or double; throws c10::Error if shapes or types disagree.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual, double dropout) const;

  explicit operator bool() const { return weight.defined(); }

  at::Tensor weight;
  at::Tensor bias;
  double epsilon = 1e-12;
};

}  // namespace fastformer::nn
