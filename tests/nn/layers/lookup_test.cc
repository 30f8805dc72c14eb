#include "fastformer/nn/layers/lookup.h"

#include <gtest/gtest.h>

#include "support/gradient_check.h"

namespace fastformer::nn {
namespace {

using testing::check_gradient;
using testing::random;
using testing::weigh;

at::Tensor indices(std::initializer_list<std::int64_t> values) {
  return at::tensor(std::vector<std::int64_t>(values), at::kLong);
}

TEST(SumOfRows, AddsScaledRows) {
  const auto words = random({5, 3}), pairs = random({4, 3});
  const auto scale = at::tensor({0.0, 2.0, 1.0}, at::kDouble);
  const auto y = sum_of_rows({{words, indices({4, 0, 4}), {}}, {pairs, indices({3, 1, 1}), scale}});
  EXPECT_TRUE(at::allclose(y[0], words[4]));
  EXPECT_TRUE(at::allclose(y[1], words[0] + 2 * pairs[1]));
  EXPECT_TRUE(at::allclose(y[2], words[4] + pairs[1]));
}

TEST(SumOfRows, GradientsAgreeWithFiniteDifferences) {
  const auto words = random({5, 3}), pairs = random({4, 3});
  const auto scale = at::tensor({0.0, 2.0, 1.0}, at::kDouble);
  const auto sum = [&](const at::Tensor& w, const at::Tensor& p) {
    return weigh(sum_of_rows({{w, indices({4, 0, 4}), {}}, {p, indices({3, 1, 1}), scale}}));
  };
  check_gradient([&](const auto& v) { return sum(v, pairs); }, words);
  check_gradient([&](const auto& v) { return sum(words, v); }, pairs);
}

TEST(SumOfRows, GivesTheGradientOfUsedRowsOnceAndInOrder) {
  const auto table = random({100, 2}).requires_grad_(true);
  const auto scale = at::tensor({1.0, 1.0, 0.0, 1.0}, at::kDouble);
  sum_of_rows({{table, indices({70, 5, 9, 70}), scale}}).sum().backward();
  const auto gradient = table.grad();
  ASSERT_TRUE(gradient.is_sparse());
  EXPECT_TRUE(at::equal(gradient._indices()[0], indices({5, 70})));
  EXPECT_TRUE(at::equal(gradient._values(), at::tensor({1.0, 1.0, 2.0, 2.0}).view({2, 2})));
}

TEST(SumOfRows, TakesNoTokens) {
  const auto table = random({5, 3}).requires_grad_(true);
  const auto y = sum_of_rows({{table, indices({}), {}}});
  EXPECT_EQ(y.sizes(), at::IntArrayRef({0, 3}));
  y.sum().backward();
  EXPECT_TRUE(at::equal(table.grad().to_dense(), at::zeros_like(table)));
}

TEST(SumOfRows, RefusesWhatDoesNotBelongTogether) {
  const auto table = random({5, 3});
  EXPECT_THROW(sum_of_rows({{table, indices({5}), {}}}), c10::Error);
  EXPECT_THROW(sum_of_rows({{table, indices({-1}), {}}}), c10::Error);
  EXPECT_THROW(sum_of_rows({{table, indices({1}), {}}, {random({5, 4}), indices({1}), {}}}),
               c10::Error);
  EXPECT_THROW(sum_of_rows({{table, indices({1}), {}}, {table, indices({1, 2}), {}}}), c10::Error);
  EXPECT_THROW(sum_of_rows({{table, indices({1}), random({2})}}), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
