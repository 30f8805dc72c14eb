#include "fastformer/nn/mixers/row_pooling.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

#include "support/gradient_check.h"

namespace fastformer::nn {
namespace {

const std::vector<std::int64_t> kRowPoolingOffsets = {0, 3, 3, 4, 11};

using testing::check_gradient;
using testing::random;
using testing::weigh;

TEST(RowPooling, GradientsAgreeWithFiniteDifferences) {
  const Offsets offsets(kRowPoolingOffsets);
  const auto x = random({11, 6}), queries = random({4, 2, 6}), one = random({1, 2, 6});
  check_gradient([&](const auto& v) { return weigh(pool_rows(v, queries, offsets).vectors); }, x);
  check_gradient([&](const auto& v) { return weigh(pool_rows(x, v, offsets).vectors); }, queries);
  check_gradient([&](const auto& v) { return weigh(pool_rows(x, v, offsets).vectors); }, one);
}

// What reads the rows that a pooling passes on must get the same gradient as what reads x.
TEST(RowPooling, AddsItsShareToTheGradientOfTheRowsItPassesOn) {
  const Offsets offsets(kRowPoolingOffsets);
  const auto x = random({11, 6}), queries = random({4, 2, 6});
  check_gradient(
      [&](const auto& v) {
        const auto pooled = pool_rows(v, queries, offsets);
        return weigh(pooled.rows.square()) + weigh(pooled.vectors) + weigh(pooled.rows);
      },
      x);
}

TEST(RowPooling, LeavesAGradientThatOthersHoldAsItIs) {
  const Offsets offsets(kRowPoolingOffsets);
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

TEST(RowPooling, AnEmptySequencePoolsToZero) {
  const Offsets offsets(kRowPoolingOffsets);
  const auto rows = pool_rows(at::randn({11, 6}), at::randn({1, 2, 6}), offsets);
  EXPECT_TRUE(at::equal(rows.vectors[1], at::zeros({2, 6})));
}

TEST(RowPooling, RefusesShapesThatDoNotBelongTogether) {
  const Offsets offsets(kRowPoolingOffsets);
  const auto x = at::randn({11, 6});
  EXPECT_THROW(pool_rows(x, at::randn({3, 2, 6}), offsets), c10::Error);
  EXPECT_THROW(pool_rows(x, at::randn({1, 2, 6}, at::kDouble), offsets), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
