#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <string>

#include "fastformer/nn/parameter_store.h"
#include "support/parity_error.h"
#include "support/parity_script.h"

/// What is done with the tensors of a case that a script of tests/parity made.
namespace fastformer::testing {

/// Gives a model the tensors "parameter.<name>" of a case.
inline void take_parameters(const nn::ParameterMap& model, const nn::ParameterMap& tensors,
                            const std::string& source) {
  nn::ParameterMap parameters;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with("parameter.")) parameters[name.substr(10)] = tensor;
  }
  nn::assign(model, parameters, source);
}

/// The largest element of the tensors "gradient.<name>" of a case.
inline double gradient_scale(const nn::ParameterMap& tensors) {
  double scale = 0;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with("gradient.")) scale = std::max(scale, largest(tensor));
  }
  return scale;
}

/// The gradient of a parameter as a dense tensor; zeros where it has none.
inline at::Tensor dense_gradient(const at::Tensor& parameter) {
  const auto& gradient = parameter.grad();
  if (!gradient.defined()) return at::zeros_like(parameter);
  return gradient.is_sparse() ? gradient.to_dense() : gradient;
}

}  // namespace fastformer::testing
