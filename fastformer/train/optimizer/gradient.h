#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

namespace fastformer::train {

/// The gradient of one parameter: dense, or only the rows that are not zero (embedding tables). An
/// empty one means zeros.
struct Gradient {
  at::Tensor dense;       ///< shape of the parameter; undefined when the rows are given
  at::Tensor rows;        ///< [R] int64, rising, no duplicates
  at::Tensor row_values;  ///< [R, d], the gradient of each of these rows
};

/// The content of `parameter.grad()` after a backward pass: dense; rows if it is a sparse tensor,
/// with duplicates added; or empty. Shares the memory if possible.
///
///   for (const auto& [name, weight] : parameters) gradients[name] = gradient_of(weight);
///
/// Throws std::invalid_argument for a sparse gradient whose sparse dimension is not the row alone.
Gradient gradient_of(const at::Tensor& parameter);

/// Scales all gradients, in place, so that their global norm is at most `max_norm`; returns the
/// norm they had. The factor is that of torch.nn.utils.clip_grad_norm_, max_norm / (norm + 1e-6).
///
///   const double norm = clip_gradients(gradients, 1.0);
///
/// The squares are added in double in the order of names and elements, so that the number of
/// threads does not change the result. If the norm is not finite, it is returned and the gradients
/// stay as they are: the caller decides whether to skip the step or to stop. Throws
/// std::invalid_argument if max_norm is not positive or a gradient is neither float32 nor float64.
double clip_gradients(std::map<std::string, Gradient>& gradients, double max_norm);

}  // namespace fastformer::train
