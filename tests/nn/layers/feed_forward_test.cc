#include "fastformer/nn/layers/feed_forward.h"

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "support/gradient_check.h"

namespace fastformer::nn {
namespace {

using kernels::Activation;
using testing::check_gradient;
using testing::random;
using testing::weigh;

struct Layers {
  explicit Layers(at::ScalarType type = at::kDouble) : store(1, type, /*deviation=*/1) {
    input = Linear(store, "input", 6, 9);
    output = Linear(store, "output", 9, 5);
  }
  ParameterStore store;
  Linear input, output;
};

at::Tensor by_aten(const at::Tensor& x, const Layers& layers, Activation activation) {
  const auto inner = at::linear(x, layers.input.weight, layers.input.bias);
  const auto active = activation == Activation::kGelu   ? at::gelu(inner)
                      : activation == Activation::kRelu ? at::relu(inner)
                      : activation == Activation::kTanh ? at::tanh(inner)
                                                        : at::gelu(inner, "tanh");
  return at::linear(active, layers.output.weight, layers.output.bias);
}

class FeedForward : public ::testing::TestWithParam<Activation> {};

TEST_P(FeedForward, GivesWhatAtenGives) {
  const Layers layers;
  for (const std::int64_t rows : {0, 1, 7, 256, 257, 1000}) {
    const auto x = random({rows, 6}).requires_grad_(true);
    const auto y = feed_forward(x, layers.input, layers.output, GetParam());
    const auto expected = by_aten(x, layers, GetParam());
    ASSERT_TRUE(at::allclose(y, expected, 1e-12, 1e-12)) << rows;
    std::vector<at::Tensor> leaves = {x};
    for (const auto& [name, parameter] : layers.store.parameters()) leaves.push_back(parameter);
    const auto actual = torch::autograd::grad({weigh(y)}, leaves);
    const auto reference = torch::autograd::grad({weigh(expected)}, leaves);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      EXPECT_TRUE(at::allclose(actual[i], reference[i], 1e-10, 1e-11)) << i << ", rows " << rows;
    }
    const at::NoGradGuard no_gradient;
    EXPECT_TRUE(at::equal(feed_forward(x, layers.input, layers.output, GetParam()), y));
  }
}

TEST_P(FeedForward, GradientsAgreeWithFiniteDifferences) {
  const Layers layers;
  check_gradient(
      [&](const auto& v) {
        return weigh(feed_forward(v, layers.input, layers.output, GetParam()));
      },
      random({4, 6}));
}

INSTANTIATE_TEST_SUITE_P(Activations, FeedForward,
                         ::testing::Values(Activation::kGelu, Activation::kRelu, Activation::kTanh,
                                           Activation::kGeluTanh));

TEST(FeedForwardBlock, RefusesShapesThatDoNotBelongTogether) {
  const Layers layers, floats(at::kFloat);
  const auto gelu = Activation::kGelu;
  EXPECT_THROW(feed_forward(random({4, 5}), layers.input, layers.output, gelu), c10::Error);
  EXPECT_THROW(feed_forward(random({4, 6}), layers.input, layers.input, gelu), c10::Error);
  EXPECT_THROW(feed_forward(random({4, 6}), floats.input, floats.output, gelu), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
