#pragma once

#include <ATen/ATen.h>

#include <algorithm>

/// How far a model is from the oracle of tests/parity.
namespace fastformer::testing {

inline double largest(const at::Tensor& x) {
  return x.numel() == 0 ? 0 : x.abs().max().item<double>();
}

/// Relative to the largest element of the tensor. Some gradients are zero by algebra (the bias of a
/// softmax's logits): they are compared relative to `scale`, the model's largest gradient. A
/// gradient that is small because large terms cancel carries their rounding: it is compared
/// relative to a tenth of `scale` in single precision, and to 1e-4 of it in double.
inline double error(const at::Tensor& actual, const at::Tensor& expected, double scale) {
  if (expected.numel() == 0) return 0;
  const double difference = largest(actual.to(at::kDouble) - expected.to(at::kDouble));
  const bool zero = largest(expected) < 1e-9 * scale;
  const double least = (actual.scalar_type() == at::kFloat ? 0.1 : 1e-4) * scale;
  return difference / (zero ? scale : std::max(largest(expected), least));
}

}  // namespace fastformer::testing
