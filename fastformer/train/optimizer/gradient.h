#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

namespace fastformer::train {

/// The gradient of one parameter: dense, or only its nonzero rows (embedding tables). If all
/// tensors are undefined, the gradient is zero.
struct Gradient {
  at::Tensor dense;       ///< shape of the parameter; undefined if rows are given
  at::Tensor rows;        ///< [R] int64, ascending, without duplicates
  at::Tensor row_values;  ///< [R, d], the gradient of each of these rows
};

/// The gradient that a backward pass stored in `parameter.grad()`: dense; rows if it is a sparse
/// tensor, with duplicates summed; or empty. Shares the memory if possible.
///
///   for (const auto& [name, weight] : parameters) gradients[name] = gradient_of(weight);
///
/// Throws std::invalid_argument for a sparse gradient with sparse dimensions other than the rows.
Gradient gradient_of(const at::Tensor& parameter);

/// Scales all gradients in place so that their global L2 norm is at most `max_norm`; returns the
/// norm before. The factor is that of torch.nn.utils.clip_grad_norm_: max_norm / (norm + 1e-6).
///
///   const double norm = clip_gradients(gradients, 1.0);
///
/// Squares are summed in double precision, in the order of names and elements, so that the result
/// does not depend on the number of threads. If the norm is not finite, it is returned and the
/// gradients are unchanged: the caller decides whether to skip the step or to stop. Throws
/// std::invalid_argument if max_norm is not positive or a gradient is neither float32 nor float64.
double clip_gradients(std::map<std::string, Gradient>& gradients, double max_norm);

}  // namespace fastformer::train
