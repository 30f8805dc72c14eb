#include "fastformer/nn/layers/additive_pooling.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

#include "support/gradient_check.h"

namespace fastformer::nn {
namespace {

const std::vector<std::int64_t> kPoolingOffsets = {0, 3, 3, 4, 11};

using testing::check_gradient;
using testing::random;
using testing::weigh;

TEST(AdditivePooling, GradientsAgreeWithFiniteDifferences) {
  const Offsets offsets(kPoolingOffsets);
  const auto x = random({11, 6}), logits = random({11, 1});
  check_gradient([&](const auto& v) { return weigh(pool_by_logits(v, logits, offsets).vectors); },
                 x);
  check_gradient([&](const auto& v) { return weigh(pool_by_logits(x, v, offsets).vectors); },
                 logits);
}

TEST(AdditivePooling, WeighsRowsByTheirLogits) {
  ParameterStore store(1, at::kDouble, 0.5);
  const AdditivePooling pooling(store, "pooling", 6, 4);
  const auto& p = store.parameters();
  const auto x = random({11, 6});
  const auto inner = at::tanh(at::linear(x, p.at("pooling.projection.weight")));
  const auto logits = at::linear(inner, p.at("pooling.logits.weight"));
  const auto [vectors, weights] = pooling.forward(x, Offsets(kPoolingOffsets));
  const auto expected = at::softmax(logits.narrow(0, 4, 7), 0);
  EXPECT_TRUE(at::allclose(weights.narrow(0, 4, 7), expected));
  EXPECT_TRUE(at::allclose(vectors[3], (x.narrow(0, 4, 7) * expected).sum(0)));
}

// Long enough for several blocks of rows, whose sums are added up.
TEST(AdditivePooling, PoolsALongSequenceInBlocks) {
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

TEST(AdditivePooling, AnEmptySequencePoolsToZero) {
  const auto pooled =
      pool_by_logits(at::randn({11, 6}), at::randn({11, 1}), Offsets(kPoolingOffsets));
  EXPECT_TRUE(at::equal(pooled.vectors[1], at::zeros({6})));
}

TEST(AdditivePooling, RefusesShapesThatDoNotBelongTogether) {
  const Offsets offsets(kPoolingOffsets);
  EXPECT_THROW(pool_by_logits(at::randn({10, 6}), at::randn({11, 1}), offsets), c10::Error);
  EXPECT_THROW(pool_by_logits(at::randn({11, 6}), at::randn({11, 4}), offsets), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
