#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "fastformer/nn/bert/bert_encoder.h"
#include "fastformer/nn/mixers/row_attention.h"
#include "support/gradient_check.h"

namespace fastformer::nn {
namespace {

using testing::random;
using testing::weigh;

const std::vector<std::int64_t> kSequenceOffsets = {0, 0, 4, 5, 5, 9, 11};

struct Inputs {
  at::Tensor query = random({11, 6}).requires_grad_(true);
  at::Tensor key = random({11, 6}).requires_grad_(true);
  at::Tensor value = random({11, 6}).requires_grad_(true);
  const Offsets offsets{kSequenceOffsets};
};

at::Tensor seeded(const Inputs& in, double rate, const at::Tensor& query) {
  at::manual_seed(7);
  return attend_with_dropout(query, in.key, in.value, 2, in.offsets, rate);
}

TEST(DroppedAttention, IsAttentionWhereNothingIsDropped) {
  const Inputs in;
  const auto y = attend_with_dropout(in.query, in.key, in.value, 2, in.offsets, 0);
  const auto expected = attend_rows(in.query, in.key, in.value, 2, in.offsets, in.offsets);
  EXPECT_TRUE(at::allclose(y, expected, 1e-12, 1e-12));
  const std::vector<at::Tensor> leaves = {in.query, in.key, in.value};
  const auto actual = torch::autograd::grad({weigh(y)}, leaves);
  const auto reference = torch::autograd::grad({weigh(expected)}, leaves);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    EXPECT_TRUE(at::allclose(actual[i], reference[i], 1e-10, 1e-11)) << i;
  }
}

TEST(DroppedAttention, TakesMoreOfOneLengthThanOneProductHolds) {
  const at::NoGradGuard no_gradient;
  const std::vector<std::int64_t> values = {0, 1200, 2400, 2401, 3601, 4801};
  const Offsets offsets(values);
  const auto x = random({offsets.total(), 2});
  const auto y = attend_with_dropout(x, x, x, 1, offsets, 0);
  EXPECT_TRUE(at::allclose(y, attend_rows(x, x, x, 1, offsets, offsets), 1e-12, 1e-12));
}

TEST(DroppedAttention, KeepsTheMeanAndFollowsTheGenerator) {
  const Inputs in;
  const at::NoGradGuard no_gradient;
  const auto one = seeded(in, 0.4, in.query);
  EXPECT_TRUE(at::equal(seeded(in, 0.4, in.query), one));
  const auto exact = attend_with_dropout(in.query, in.key, in.value, 2, in.offsets, 0);
  EXPECT_FALSE(at::allclose(one, exact, 1e-2, 1e-2));
  auto sum = at::zeros_like(exact);
  constexpr int kDraws = 400;
  for (int i = 0; i < kDraws; ++i) {
    sum += attend_with_dropout(in.query, in.key, in.value, 2, in.offsets, 0.4);
  }
  // Five deviations of a mean whose parts have a deviation below 2.
  EXPECT_LT((sum / kDraws - exact).abs().max().item<double>(), 5 * 2 / std::sqrt(kDraws));
}

TEST(DroppedAttention, GradientsAgreeWithFiniteDifferences) {
  const Inputs in;
  testing::check_gradient([&](const auto& v) { return weigh(seeded(in, 0.3, v)); }, in.query);
}

TEST(DroppedAttention, TakesEmptyBatchesAndRefusesOtherShapes) {
  const std::vector<std::int64_t> none = {0, 0};
  const auto empty = random({0, 6});
  EXPECT_EQ(attend_with_dropout(empty, empty, empty, 2, Offsets(none), 0.5).size(0), 0);
  const Inputs in;
  EXPECT_THROW(attend_with_dropout(in.query, in.key, in.value, 4, in.offsets, 0.1), c10::Error);
  EXPECT_THROW(attend_with_dropout(in.query, random({10, 6}), in.value, 2, in.offsets, 0.1),
               c10::Error);
  EXPECT_THROW(attend_with_dropout(in.query, in.key, in.value, 2, Offsets(none), 0.1), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
