#include "fastformer/nn/ragged_ops.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "fastformer/nn/linear.h"
#include "fastformer/nn/row_pooling.h"
#include "support/gradient_check.h"

namespace fastformer::nn {
namespace {

const std::vector<std::int64_t> kOffsets = {0, 3, 3, 4, 11};

using testing::check_gradient;
using testing::random;
using testing::weigh;

TEST(RaggedOps, GradientsAgreeWithFiniteDifferences) {
  const Offsets offsets(kOffsets);
  const auto x = random({11, 6}), logits = random({11, 1}), vectors = random({4, 6});
  check_gradient([&](const auto& v) { return weigh(pool_by_logits(v, logits, offsets).vectors); },
                 x);
  check_gradient([&](const auto& v) { return weigh(pool_by_logits(x, v, offsets).vectors); },
                 logits);
  check_gradient([&](const auto& v) { return weigh(expand_rows(v, offsets)); }, vectors);
  check_gradient([&](const auto& v) { return weigh(previous_rows(v, offsets)); }, x);
}

TEST(RaggedOps, TheFirstRowOfASequenceHasNoPreviousOne) {
  const Offsets offsets(kOffsets);
  const auto x = random({11, 6}), previous = previous_rows(x, offsets);
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    for (std::int64_t i = 0; i < offsets.length(b); ++i) {
      const auto row = offsets.begin_of(b) + i;
      EXPECT_TRUE(at::equal(previous[row], i == 0 ? at::zeros_like(x[row]) : x[row - 1])) << row;
    }
  }
  const std::vector<std::int64_t> none = {0, 0};
  EXPECT_EQ(previous_rows(at::zeros({0, 6}), Offsets(none)).size(0), 0);
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

// Long enough for several blocks of rows, whose sums are added up.
TEST(RaggedOps, PoolsALongSequenceInBlocks) {
  const std::vector<std::int64_t> values = {0, 5, 5005};
  const Offsets offsets(values);
  const auto x = random({5005, 6}).requires_grad_(true);
  const auto logits = random({5005, 1}).requires_grad_(true);
  const auto pooled = pool_by_logits(x, logits, offsets).vectors;
  const auto rows = x.narrow(0, 5, 5000), weights = at::softmax(logits.narrow(0, 5, 5000), 0);
  const auto expected = (rows * weights).sum(0);
  EXPECT_TRUE(at::allclose(pooled[1], expected, 1e-11, 1e-12));
  const auto actual = torch::autograd::grad({weigh(pooled[1])}, {x, logits});
  const auto reference = torch::autograd::grad({weigh(expected)}, {x, logits});
  EXPECT_TRUE(at::allclose(actual[0], reference[0], 1e-10, 1e-12));
  EXPECT_TRUE(at::allclose(actual[1], reference[1], 1e-10, 1e-12));
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
}

}  // namespace
}  // namespace fastformer::nn
