#include "fastformer/nn/layers/linear.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "support/gradient_check.h"

namespace fastformer::nn {
namespace {

using testing::check_gradient;
using testing::random;
using testing::weigh;

TEST(Linear, GradientsAgreeWithFiniteDifferences) {
  const auto x = random({11, 6}), weight = random({5, 6}), bias = random({5});
  check_gradient([&](const auto& v) { return weigh(affine(v, weight, bias)); }, x);
  check_gradient([&](const auto& v) { return weigh(affine(x, v, bias)); }, weight);
  check_gradient([&](const auto& v) { return weigh(affine(x, weight, v)); }, bias);
  check_gradient([&](const auto& v) { return weigh(affine(x, v.t())); }, random({6, 5}));
  check_gradient([&](const auto& v) { return weigh(affine(v, weight.t().contiguous().t())); }, x);
}

// Long enough that the threads share rows and depth.
TEST(Linear, GivesWhatAtenGives) {
  const auto x = random({1500, 40}).requires_grad_(true), gradient = random({1500, 70});
  const auto weight = random({70, 40}).requires_grad_(true), bias = random({70});
  const auto y = affine(x, weight, bias), expected = at::linear(x, weight, bias);
  EXPECT_TRUE(at::allclose(y, expected, 1e-12, 1e-12));
  const auto actual = torch::autograd::grad({y}, {x, weight}, {gradient});
  const auto reference = torch::autograd::grad({expected}, {x, weight}, {gradient});
  EXPECT_TRUE(at::allclose(actual[0], reference[0], 1e-12, 1e-12));
  EXPECT_TRUE(at::allclose(actual[1], reference[1], 1e-11, 1e-11));
}

TEST(Linear, RefusesShapesThatDoNotBelongTogether) {
  EXPECT_THROW(affine(random({3, 4}), random({5, 6})), c10::Error);
  EXPECT_THROW(affine(random({3, 4}), at::randn({5, 4})), c10::Error);
  EXPECT_THROW(affine(random({3, 4}), random({5, 4}), random({4})), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
