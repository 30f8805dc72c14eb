#include "fastformer/nn/layers/dropout.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "fastformer/kernels/parallel.h"

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
    const kernels::ComputeScope scope(kernels::Precision::kFp32, threads);
    at::manual_seed(seed);
    return dropout(x, 0.3);
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

TEST(TokenDropout, KeepsAtLeastOneTokenAndTheOrder) {
  at::manual_seed(1);
  const auto x = at::arange(40).view({40, 1}).to(at::kFloat);
  const std::vector<std::int64_t> offsets = {0, 1, 1, 40};
  const auto none = drop_tokens(x, Offsets(offsets), 1.0);
  EXPECT_EQ(none.offsets, (std::vector<std::int64_t>{0, 1, 1, 2}));
  const auto half = drop_tokens(x, Offsets(offsets), 0.5);
  EXPECT_GT(half.rows.size(0), 8);
  EXPECT_LT(half.rows.size(0), 36);
  EXPECT_TRUE((half.rows.slice(0, 1) > half.rows.slice(0, 0, -1)).all().item<bool>());
  EXPECT_TRUE(at::equal(drop_tokens(x, Offsets(offsets), 0).rows, x));
}

}  // namespace
}  // namespace fastformer::nn
