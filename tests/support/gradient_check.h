#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdint>

namespace fastformer::testing {

/// Central differences of the scalar f at each element of a double x.
template <class F>
at::Tensor numeric_gradient(const F& f, const at::Tensor& x) {
  constexpr double kStep = 1e-6;
  const auto at_point = x.detach().clone();
  auto gradient = at::zeros_like(at_point);
  auto* value = at_point.mutable_data_ptr<double>();
  auto* out = gradient.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const double before = value[i];
    value[i] = before + kStep;
    const double above = f(at_point).template item<double>();
    value[i] = before - kStep;
    const double below = f(at_point).template item<double>();
    value[i] = before;
    out[i] = (above - below) / (2 * kStep);
  }
  return gradient;
}

/// The gradient of f at x by its backward pass agrees with central differences.
template <class F>
void check_gradient(const F& f, const at::Tensor& x) {
  const auto leaf = x.detach().clone().requires_grad_(true);
  f(leaf).backward();
  const auto actual = leaf.grad().is_sparse() ? leaf.grad().to_dense() : leaf.grad();
  EXPECT_TRUE(at::allclose(actual, numeric_gradient(f, x), 1e-6, 1e-8));
}

/// A scalar in which every element of x counts differently.
inline at::Tensor weigh(const at::Tensor& x) {
  return (x * at::arange(x.numel(), x.options()).view_as(x).cos()).sum();
}

inline at::Tensor random(at::IntArrayRef sizes) { return at::randn(sizes, at::kDouble); }

}  // namespace fastformer::testing
