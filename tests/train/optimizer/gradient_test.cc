#include "fastformer/train/optimizer/gradient.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>

namespace fastformer::train {
namespace {

std::map<std::string, Gradient> example() {
  return {{"bias", {at::tensor({3.0f, -4.0f}), {}, {}}},
          {"frozen", {}},
          {"table", {{}, at::tensor({7}, at::kLong), at::tensor({0.0f, 12.0f}).view({1, 2})}}};
}

TEST(GradientOf, SortsAndAddsUpTheRowsOfASparseTensor) {
  at::Tensor table = at::zeros({5, 2});
  EXPECT_FALSE(gradient_of(table).dense.defined());
  EXPECT_FALSE(gradient_of(table).rows.defined());
  const at::Tensor values = at::arange(6, at::kFloat).view({3, 2});
  table.mutable_grad() =
      at::sparse_coo_tensor(at::tensor({4, 1, 4}, at::kLong).view({1, 3}), values, {5, 2});
  const Gradient gradient = gradient_of(table);
  EXPECT_FALSE(gradient.dense.defined());
  EXPECT_TRUE(at::equal(gradient.rows, at::tensor({1, 4}, at::kLong)));
  EXPECT_TRUE(at::equal(gradient.row_values, at::tensor({2.f, 3.f, 4.f, 6.f}).view({2, 2})));
}

TEST(GradientOf, PassesADenseGradientOn) {
  at::Tensor weight = at::zeros({2, 2});
  weight.mutable_grad() = at::ones({2, 2});
  const Gradient gradient = gradient_of(weight);
  EXPECT_TRUE(at::equal(gradient.dense, at::ones({2, 2})));
  EXPECT_FALSE(gradient.rows.defined());
}

TEST(GradientOf, RefusesATensorThatIsSparseInBothDimensions) {
  at::Tensor weight = at::zeros({2, 2});
  weight.mutable_grad() = at::ones({2, 2}).to_sparse();
  EXPECT_THROW(gradient_of(weight), std::invalid_argument);
}

// The numbers are those of torch.nn.utils.clip_grad_norm_ with max_norm 2.
TEST(ClipGradients, AgreesWithPyTorch) {
  auto gradients = example();
  EXPECT_DOUBLE_EQ(clip_gradients(gradients, 2.0), 13.0);
  EXPECT_FLOAT_EQ(gradients["bias"].dense[0].item<float>(), 0.461538434f);
  EXPECT_FLOAT_EQ(gradients["bias"].dense[1].item<float>(), -0.615384579f);
  EXPECT_FLOAT_EQ(gradients["table"].row_values[0][1].item<float>(), 1.84615374f);
}

TEST(ClipGradients, LeavesSmallGradientsAlone) {
  auto gradients = example();
  EXPECT_DOUBLE_EQ(clip_gradients(gradients, 13.1), 13.0);
  EXPECT_TRUE(at::equal(gradients["bias"].dense, example()["bias"].dense));
}

TEST(ClipGradients, AddsUpEveryElementInDouble) {
  std::map<std::string, Gradient> gradients = {{"a", {at::full({100001}, 1e-3f), {}, {}}},
                                               {"b", {at::full({3}, 2.0, at::kDouble), {}, {}}}};
  const double value = static_cast<double>(1e-3f);
  EXPECT_NEAR(clip_gradients(gradients, 100), std::sqrt(100001 * value * value + 12), 1e-12);
}

TEST(ClipGradients, ReturnsANormThatIsNotFinite) {
  auto gradients = example();
  gradients["bias"].dense[0] = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(std::isinf(clip_gradients(gradients, 1.0)));
  EXPECT_EQ(gradients["bias"].dense[1].item<float>(), -4.0f);
  EXPECT_EQ(gradients["table"].row_values[0][1].item<float>(), 12.0f);
}

TEST(ClipGradients, RefusesBadInput) {
  auto gradients = example();
  EXPECT_THROW(clip_gradients(gradients, 0), std::invalid_argument);
  EXPECT_THROW(clip_gradients(gradients, std::nan("")), std::invalid_argument);
  gradients["bias"].dense = at::ones({2}, at::kBFloat16);
  EXPECT_THROW(clip_gradients(gradients, 1), std::invalid_argument);
}

}  // namespace
}  // namespace fastformer::train
