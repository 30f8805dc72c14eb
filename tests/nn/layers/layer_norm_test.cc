#include "fastformer/nn/layers/layer_norm.h"

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "fastformer/nn/layers/dropout.h"
#include "support/gradient_check.h"

namespace fastformer::nn {
namespace {

using testing::random;
using testing::weigh;

LayerNorm random_norm(std::int64_t width) {
  LayerNorm norm;
  norm.weight = random({width}).requires_grad_(true);
  norm.bias = random({width}).requires_grad_(true);
  return norm;
}

at::Tensor by_aten(const LayerNorm& norm, const at::Tensor& sum) {
  return at::layer_norm(sum, norm.weight.sizes(), norm.weight, norm.bias, norm.epsilon);
}

TEST(LayerNorm, GivesWhatAtenGivesOfTheSum) {
  const auto norm = random_norm(7);
  for (const std::int64_t rows : {0, 1, 64, 65, 256, 600}) {
    const auto x = random({rows, 7}).requires_grad_(true);
    const auto residual = random({rows, 7}).requires_grad_(true);
    const std::vector<at::Tensor> leaves = {x, residual, norm.weight, norm.bias};
    at::manual_seed(3);
    const auto y = norm.forward(x, residual, 0.3);
    at::manual_seed(3);
    const auto expected = by_aten(norm, dropout_add(x, residual, 0.3));
    ASSERT_TRUE(at::allclose(y, expected, 1e-12, 1e-12)) << rows;
    const auto actual = torch::autograd::grad({weigh(y)}, leaves);
    const auto reference = torch::autograd::grad({weigh(expected)}, leaves);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      EXPECT_TRUE(at::allclose(actual[i], reference[i], 1e-9, 1e-10)) << i << ", rows " << rows;
    }
  }
}

TEST(LayerNorm, NeedsNeitherResidualNorDropout) {
  const auto norm = random_norm(6);
  const auto x = random({9, 6}), residual = random({9, 6});
  testing::check_gradient([&](const auto& v) { return weigh(norm.forward(v)); }, x);
  testing::check_gradient([&](const auto& v) { return weigh(norm.forward(x, v, 0)); }, residual);
  EXPECT_TRUE(at::allclose(norm.forward(x), by_aten(norm, x), 1e-12, 1e-12));
  const at::NoGradGuard no_gradient;
  EXPECT_TRUE(
      at::allclose(norm.forward(x, residual, 0), by_aten(norm, x + residual), 1e-12, 1e-12));
}

TEST(LayerNorm, TakesAnotherEpsilon) {
  ParameterStore store(1, at::kDouble);
  const LayerNorm norm(store, "norm", 5, 0.5);
  const auto x = random({8, 5}), residual = random({8, 5});
  EXPECT_TRUE(at::allclose(norm.forward(x), at::layer_norm(x, {5}, {}, {}, 0.5), 1e-12, 1e-12));
  testing::check_gradient([&](const auto& v) { return weigh(norm.forward(v, residual, 0)); }, x);
}

TEST(LayerNorm, RefusesShapesThatDoNotBelongTogether) {
  const auto norm = random_norm(6);
  EXPECT_THROW(norm.forward(random({4, 5})), c10::Error);
  EXPECT_THROW(norm.forward(at::randn({4, 6})), c10::Error);
  EXPECT_THROW(norm.forward(random({4, 6}), random({3, 6}), 0), c10::Error);
  EXPECT_THROW(norm.forward(random({4, 6}), {}, 1), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
