#include "fastformer/train/optimizer/adam.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace fastformer::train {
namespace {

using Tensors = std::map<std::string, at::Tensor>;
using Gradients = std::map<std::string, Gradient>;

Gradient dense(const at::Tensor& values) { return {.dense = values, .rows = {}, .row_values = {}}; }
Gradient rows(const at::Tensor& which, const at::Tensor& values) {
  return {.dense = {}, .rows = which, .row_values = values};
}

Tensors copy(const Tensors& tensors) {
  Tensors result;
  for (const auto& [name, tensor] : tensors) result[name] = tensor.clone();
  return result;
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

// The same weights, gradients and learning rates were given to torch.optim.Adam and AdamW in
// Python; AdamW had weight decay 0.1 on the matrix and none on the bias.
struct Golden {
  double weight_decay;
  std::vector<double> weight;
};
const Golden kGolden[] = {{0.0,
                           {0.12797946683493497, -0.14910425151517886, 0.33424538969087381,
                            -0.38828005414662958, 0.48315704510711754, -0.65295732631797443}},
                          {0.1,
                           {0.12625088522393191, -0.14672284032018704, 0.32931058462624169,
                            -0.38254126243895253, 0.47579578935417161, -0.64341110230623666}}};
const std::vector<double> kGoldenBias = {0.58296792480423509, -0.1473899862392902,
                                         0.23574184761509512};

Gradients golden_gradients(int step, at::ScalarType type) {
  const at::Tensor i = at::arange(6, at::kDouble);
  const at::Tensor j = at::arange(3, at::kDouble);
  return {{"weight", dense((i * 0.7 + 1.3 * step).cos().view({2, 3}).to(type))},
          {"bias", dense(((j * 0.4 - 0.9 * step).sin() * 1e-3).to(type))}};
}

void expect_golden(const Golden& golden, at::ScalarType type, double tolerance) {
  const at::Tensor start =
      at::tensor({0.1, -0.2, 0.3, -0.4, 0.5, -0.6}, at::kDouble).view({2, 3}).to(type);
  Tensors parameters = {{"weight", start.clone()},
                        {"bias", at::tensor({0.5, -0.25, 0.125}, at::kDouble).to(type)}};
  Adam adam(parameters,
            {.beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-6, .weight_decay = golden.weight_decay},
            {});
  for (int step = 1; step <= 5; ++step) adam.step(golden_gradients(step, type), 0.01 * step);

  const at::Tensor weight = at::tensor(golden.weight, at::kDouble).view({2, 3});
  EXPECT_LT(largest_difference(parameters["weight"], weight), tolerance);
  EXPECT_LT(largest_difference(parameters["bias"], at::tensor(kGoldenBias, at::kDouble)),
            tolerance);
}

TEST(Adam, AgreesWithPyTorch) {
  for (const Golden& golden : kGolden) {
    expect_golden(golden, at::kDouble, 1e-14);
    expect_golden(golden, at::kFloat, 5e-7);
  }
}

TEST(Adam, DecaysMatricesButNoBiasAndNoNormalization) {
  Tensors parameters = {{"a.weight", at::ones({2, 2})},
                        {"a.bias", at::ones({2})},
                        {"a.normalization.weight", at::ones({2, 2})}};
  Adam adam(parameters, {.weight_decay = 0.5}, {});
  adam.step({}, 0.1);
  EXPECT_FLOAT_EQ(parameters["a.weight"][0][0].item<float>(), 0.95f);
  EXPECT_EQ(parameters["a.bias"][0].item<float>(), 1.0f);
  EXPECT_EQ(parameters["a.normalization.weight"][0][0].item<float>(), 1.0f);
}

TEST(Adam, AFactorMultipliesTheLearningRateOfItsParameter) {
  const at::Tensor gradient = at::tensor({0.3, -2.0, 1e-7, 5.0}, at::kDouble).view({2, 2});
  Tensors slow = {{"a.weight", at::ones({2, 2}, at::kDouble)},
                  {"b.weight", at::ones({2, 2}, at::kDouble)}};
  Tensors alone = {{"a.weight", at::ones({2, 2}, at::kDouble)}};
  Adam adam(slow, {.weight_decay = 0.5}, {}, {{"a.weight", 0.03}});
  Adam other(alone, {.weight_decay = 0.5}, {});
  for (int step = 1; step <= 5; ++step) {
    adam.step({{"a.weight", dense(gradient * step)}, {"b.weight", dense(gradient)}}, 0.1 * step);
    other.step({{"a.weight", dense(gradient * step)}}, 0.1 * step * 0.03);
  }
  EXPECT_TRUE(at::equal(slow["a.weight"], alone["a.weight"]));
  EXPECT_GT(largest_difference(slow["b.weight"], alone["a.weight"]), 0.5);
  Tensors fixed = {{"a", at::ones({2, 2})}};
  Adam(fixed, {}, {}, {{"a", 0}}).step({{"a", dense(at::ones({2, 2}))}}, 0.1);
  EXPECT_TRUE(at::equal(fixed["a"], at::ones({2, 2})));
}

TEST(Adam, RefusesBadFactors) {
  Tensors parameters = {{"a", at::zeros({4, 2})}};
  EXPECT_THROW(Adam(parameters, {}, {}, {{"b", 1}}), std::invalid_argument);
  EXPECT_THROW(Adam(parameters, {}, {}, {{"a", -1}}), std::invalid_argument);
  EXPECT_THROW(Adam(parameters, {}, {}, {{"a", std::nan("")}}), std::invalid_argument);
  Adam fast(parameters, {.weight_decay = 0.5}, {}, {{"a", 100}});
  EXPECT_THROW(fast.step({}, 0.05), std::invalid_argument);
  EXPECT_EQ(fast.steps(), 0);
}

TEST(Adam, LargeParameterIsUpdatedToItsEnd) {
  // More than one chunk, and a count that no vector width divides.
  Tensors large = {{"weight", at::zeros({40003})}};
  Tensors small = {{"weight", at::zeros({1})}};
  Adam(large, {}, {}).step({{"weight", dense(at::full({40003}, 0.3))}}, 0.01);
  Adam(small, {}, {}).step({{"weight", dense(at::full({1}, 0.3))}}, 0.01);
  EXPECT_TRUE(at::equal(large["weight"], small["weight"].expand({40003})));
}

TEST(Adam, MissingGradientIsAZeroGradient) {
  Tensors with = {{"weight", at::ones({5})}};
  Tensors without = copy(with);
  Adam adam_with(with, {}, {});
  Adam adam_without(without, {}, {});
  const Gradients first = {{"weight", dense(at::arange(5, at::kFloat))}};
  adam_with.step(first, 0.1);
  adam_without.step(first, 0.1);
  adam_with.step({{"weight", dense(at::zeros({5}))}}, 0.1);
  adam_without.step({}, 0.1);
  EXPECT_TRUE(at::equal(with["weight"], without["weight"]));
  EXPECT_NE(with["weight"][1].item<float>(), 0.9f);
}

TEST(Adam, TakesGradientsThatAreNotContiguous) {
  Tensors a = {{"weight", at::zeros({3, 4})}};
  Tensors b = copy(a);
  const at::Tensor gradient = at::arange(12, at::kFloat).view({4, 3}).t();
  Adam(a, {}, {}).step({{"weight", dense(gradient)}}, 0.1);
  Adam(b, {}, {}).step({{"weight", dense(gradient.contiguous())}}, 0.1);
  EXPECT_TRUE(at::equal(a["weight"], b["weight"]));
}

TEST(Adam, RefusesBadParametersAndSettings) {
  const at::Tensor table = at::zeros({4, 2});
  EXPECT_THROW(Adam({{"a", at::zeros({2}, at::kLong)}}, {}, {}), std::invalid_argument);
  EXPECT_THROW(Adam({{"a", at::Tensor()}}, {}, {}), std::invalid_argument);
  EXPECT_THROW(Adam({{"a", table.t()}}, {}, {}), std::invalid_argument);
  EXPECT_THROW(Adam({{"a", at::zeros({2})}}, {}, {"a"}), std::invalid_argument);
  EXPECT_THROW(Adam({{"a", table}}, {}, {"b"}), std::invalid_argument);
  EXPECT_THROW(Adam({{"a", table}}, {.beta1 = 1}, {}), std::invalid_argument);
  EXPECT_THROW(Adam({{"a", table}}, {.beta2 = -0.1}, {}), std::invalid_argument);
  EXPECT_THROW(Adam({{"a", table}}, {.epsilon = 0}, {}), std::invalid_argument);
  EXPECT_THROW(Adam({{"a", table}}, {.weight_decay = -1}, {}), std::invalid_argument);
}

TEST(Adam, RefusesBadGradientsAndChangesNothing) {
  Tensors parameters = {{"table", at::ones({4, 2})}, {"bias", at::ones({2})}};
  Adam adam(parameters, {.weight_decay = 1}, {"table"});
  const at::Tensor values = at::ones({2, 2});
  const at::Tensor good = at::tensor({0, 3}, at::kLong);
  const std::vector<Gradients> bad = {
      {{"tabel", dense(at::ones({4, 2}))}},
      {{"bias", dense(at::ones({3}))}},
      {{"bias", dense(at::ones({2}, at::kDouble))}},
      {{"bias", rows(good, values)}},
      {{"table", rows(at::tensor({3, 0}, at::kLong), values)}},
      {{"table", rows(at::tensor({1, 1}, at::kLong), values)}},
      {{"table", rows(at::tensor({0, 4}, at::kLong), values)}},
      {{"table", rows(at::tensor({0, 3}, at::kInt), values)}},
      {{"table", rows(good, at::ones({3, 2}))}},
      {{"table", rows(good, at::Tensor())}},
      {{"table", {.dense = at::ones({4, 2}), .rows = good, .row_values = values}}},
  };
  for (const Gradients& gradients : bad) {
    EXPECT_THROW(adam.step(gradients, 0.1), std::invalid_argument);
  }
  EXPECT_THROW(adam.step({}, -0.1), std::invalid_argument);
  EXPECT_THROW(adam.step({}, std::nan("")), std::invalid_argument);
  EXPECT_THROW(adam.step({}, 1.0), std::invalid_argument);
  EXPECT_EQ(adam.steps(), 0);
  EXPECT_TRUE(at::equal(parameters["bias"], at::ones({2})));
  EXPECT_TRUE(at::equal(parameters["table"], at::ones({4, 2})));
}

}  // namespace
}  // namespace fastformer::train
