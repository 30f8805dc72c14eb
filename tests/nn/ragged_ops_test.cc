#include "fastformer/nn/ragged_ops.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "fastformer/nn/linear.h"
#include "fastformer/nn/row_pooling.h"
#include "fastformer/nn/sequence_linear.h"

namespace fastformer::nn {
namespace {

const std::vector<std::int64_t> kOffsets = {0, 3, 3, 4, 11};

// Central differences of f at each element of x.
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

template <class F>
void check_gradient(const F& f, const at::Tensor& x) {
  const auto leaf = x.detach().clone().requires_grad_(true);
  f(leaf).backward();
  EXPECT_TRUE(at::allclose(leaf.grad(), numeric_gradient(f, x), 1e-6, 1e-8));
}

at::Tensor weigh(const at::Tensor& x) {
  return (x * at::arange(x.numel(), x.options()).view_as(x).cos()).sum();
}

at::Tensor random(at::IntArrayRef sizes) { return at::randn(sizes, at::kDouble); }

TEST(RaggedOps, GradientsAgreeWithFiniteDifferences) {
  const Offsets offsets(kOffsets);
  const auto x = random({11, 6}), logits = random({11, 1}), vectors = random({4, 6});
  check_gradient([&](const auto& v) { return weigh(pool_by_logits(v, logits, offsets).vectors); },
                 x);
  check_gradient([&](const auto& v) { return weigh(pool_by_logits(x, v, offsets).vectors); },
                 logits);
  check_gradient([&](const auto& v) { return weigh(expand_rows(v, offsets)); }, vectors);
  check_gradient([&](const auto& v) { return weigh(scale_rows(v, vectors, offsets)); }, x);
  check_gradient([&](const auto& v) { return weigh(scale_rows(x, v, offsets)); }, vectors);
}

TEST(RowPooling, GradientsAgreeWithFiniteDifferences) {
  const Offsets offsets(kOffsets);
  const auto x = random({11, 6}), queries = random({4, 2, 6}), one = random({1, 2, 6});
  check_gradient([&](const auto& v) { return weigh(pool_rows(v, queries, offsets).vectors); }, x);
  check_gradient([&](const auto& v) { return weigh(pool_rows(x, v, offsets).vectors); }, queries);
  check_gradient([&](const auto& v) { return weigh(pool_rows(x, v, offsets).vectors); }, one);
}

// What reads the rows that a pooling passes on must get the same gradient as what reads x.
TEST(RowPooling, AddsItsShareToTheGradientOfTheRowsItPassesOn) {
  const Offsets offsets(kOffsets);
  const auto x = random({11, 6}), queries = random({4, 2, 6});
  check_gradient(
      [&](const auto& v) {
        const auto pooled = pool_rows(v, queries, offsets);
        return weigh(pooled.rows.square()) + weigh(pooled.vectors) + weigh(pooled.rows);
      },
      x);
}

TEST(RowPooling, LeavesAGradientThatOthersHoldAsItIs) {
  const Offsets offsets(kOffsets);
  const auto x = random({11, 6}).requires_grad_(true), queries = random({4, 2, 6});
  const auto pooled = pool_rows(x, queries, offsets);
  const auto held = random({11, 6}), before = held.clone();
  const auto vectors = at::ones_like(pooled.vectors);
  torch::autograd::backward({pooled.vectors, pooled.rows}, {vectors, held});
  EXPECT_TRUE(at::equal(held, before));
  EXPECT_FALSE(at::allclose(x.grad(), held));
}

// Long enough for several blocks of rows, whose sums are merged.
TEST(RowPooling, CutsALongSequenceWithoutATrace) {
  const std::vector<std::int64_t> values = {0, 10, 6010, 6010, 8058};
  const Offsets offsets(values);
  const auto x = random({8058, 5}).requires_grad_(true);
  const auto queries = random({4, 3, 5}).requires_grad_(true);
  const auto pooled = pool_rows(x, queries, offsets);
  const auto weights = pooling_weights(queries, pooled, offsets);
  std::vector<at::Tensor> expected, expected_weights;
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    const auto rows = x.narrow(0, offsets.begin_of(b), offsets.length(b));
    const auto softmax = at::softmax(at::mm(rows, queries[b].t()), 0);
    expected_weights.push_back(softmax);
    expected.push_back(at::mm(softmax.t(), rows));
  }
  EXPECT_TRUE(at::allclose(pooled.vectors, at::stack(expected), 1e-11, 1e-12));
  EXPECT_TRUE(at::allclose(weights, at::cat(expected_weights), 1e-11, 1e-12));

  const auto gradients = torch::autograd::grad({weigh(pooled.vectors)}, {x, queries});
  const auto reference = torch::autograd::grad({weigh(at::stack(expected))}, {x, queries});
  EXPECT_TRUE(at::allclose(gradients[0], reference[0], 1e-10, 1e-12));
  EXPECT_TRUE(at::allclose(gradients[1], reference[1], 1e-10, 1e-12));
}

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

TEST(SequenceLinear, GradientsAgreeWithFiniteDifferences) {
  const Offsets offsets(kOffsets);
  const auto x = random({11, 6}), matrices = random({4, 5, 6}), constants = random({4, 5});
  check_gradient(
      [&](const auto& v) { return weigh(sequence_linear(v, matrices, constants, offsets)); }, x);
  check_gradient([&](const auto& v) { return weigh(sequence_linear(x, v, constants, offsets)); },
                 matrices);
  check_gradient([&](const auto& v) { return weigh(sequence_linear(x, matrices, v, offsets)); },
                 constants);
}

TEST(RaggedOps, AnEmptySequencePoolsToZero) {
  const Offsets offsets(kOffsets);
  const auto by_logits = pool_by_logits(at::randn({11, 6}), at::randn({11, 1}), offsets);
  EXPECT_TRUE(at::equal(by_logits.vectors[1], at::zeros({6})));
  const auto rows = pool_rows(at::randn({11, 6}), at::randn({1, 2, 6}), offsets);
  EXPECT_TRUE(at::equal(rows.vectors[1], at::zeros({2, 6})));
}

TEST(RaggedOps, RefusesShapesThatDoNotBelongTogether) {
  const Offsets offsets(kOffsets);
  const auto x = at::randn({11, 6});
  EXPECT_THROW(pool_by_logits(at::randn({10, 6}), at::randn({11, 1}), offsets), c10::Error);
  EXPECT_THROW(pool_by_logits(x, at::randn({11, 4}), offsets), c10::Error);
  EXPECT_THROW(pool_rows(x, at::randn({3, 2, 6}), offsets), c10::Error);
  EXPECT_THROW(pool_rows(x, at::randn({1, 2, 6}, at::kDouble), offsets), c10::Error);
  EXPECT_THROW(expand_rows(at::randn({3, 6}), offsets), c10::Error);
  EXPECT_THROW(scale_rows(x, at::randn({4, 5}), offsets), c10::Error);
  EXPECT_THROW(sequence_linear(x, at::randn({4, 5, 7}), at::randn({4, 5}), offsets), c10::Error);
  EXPECT_THROW(sequence_linear(x, at::randn({4, 5, 6}), at::randn({4, 6}), offsets), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
