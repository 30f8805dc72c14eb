#pragma once

#include <ATen/ATen.h>

#include <string>

#include "fastformer/nn/parameter_store.h"

namespace fastformer::nn {

/// Layer normalisation over the last dimension (Ba et al., arXiv 1607.06450), by default with the
/// epsilon 1e-12 of BERT and of the authors' code, together with the preceding dropout and
/// residual:
///   y = norm(residual + dropout(x)) * weight + bias
/// Parameters: `<name>.weight` [d], at first ones, and `<name>.bias` [d], zeros.
struct LayerNorm {
  LayerNorm() = default;
  LayerNorm(ParameterStore& store, const std::string& name, std::int64_t width, double eps = 1e-12)
      : weight(store.constant(name + ".weight", {width}, 1)),
        bias(store.constant(name + ".bias", {width}, 0)),
        epsilon(eps) {}

  /// x [T, d] -> [T, d].
  at::Tensor forward(const at::Tensor& x) const { return forward(x, at::Tensor(), 0); }

  /// The same for the sum; `residual` [T, d] may be undefined. Dropout as in `layers/dropout.h`.
  /// One pass over memory; keeps the sum for the backward pass if gradients are needed. Float or
  /// double; throws c10::Error if shapes or types disagree.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual, double dropout) const;

  explicit operator bool() const { return weight.defined(); }

  at::Tensor weight;
  at::Tensor bias;
  double epsilon = 1e-12;
};

}  // namespace fastformer::nn
