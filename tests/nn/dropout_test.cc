#include "fastformer/nn/dropout.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

namespace fastformer::nn {
namespace {

TEST(Dropout, GradientGoesWhereTheNumbersWent) {
  at::manual_seed(5);
  const auto x = at::ones({300, 70}, at::kDouble).requires_grad_(true);
  const auto residual = at::randn({300, 70}, at::kDouble).requires_grad_(true);
  const auto y = dropout_add(x, residual, 0.4);
  const auto mask = (y - residual).detach();
  EXPECT_NEAR(mask.mean().item<double>(), 1, 0.05);
  const auto gradient = at::randn({300, 70}, at::kDouble);
  const auto gradients = torch::autograd::grad({y}, {x, residual}, {gradient});
  EXPECT_TRUE(at::allclose(gradients[0], gradient * mask.round(/*decimals=*/6), 1e-5, 1e-5));
  EXPECT_TRUE(at::equal(gradients[1], gradient));
}

TEST(Dropout, DependsOnTheSeedAndOnNoNumberOfThreads) {
  const auto x = at::ones({500, 100});
  const auto run = [&](int seed, int threads) {
    const auto before = at::get_num_threads();
    at::manual_seed(seed);
    at::set_num_threads(threads);
    const auto y = dropout(x, 0.3);
    at::set_num_threads(before);
    return y;
  };
  EXPECT_TRUE(at::equal(run(1, 1), run(1, 2)));
  EXPECT_FALSE(at::equal(run(1, 1), run(2, 1)));
}

TEST(Dropout, TwoCallsDropDifferentNumbers) {
  const auto x = at::ones({100, 100});
  EXPECT_FALSE(at::equal(dropout(x, 0.5), dropout(x, 0.5)));
}

TEST(Dropout, RefusesWhatItCannotDo) {
  EXPECT_THROW(dropout(at::ones({2, 2}), 1.0), c10::Error);
  EXPECT_THROW(dropout_add(at::ones({2, 2}), at::ones({2, 3}), 0.5), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
