#include "fastformer/nn/mixers/gated_linear.h"

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <numeric>

#include "support/gradient_check.h"

namespace fastformer::nn {
namespace {

using testing::random;
using testing::weigh;

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

struct Case {
  std::vector<std::int64_t> offsets;
  at::Tensor x, gates, constants;
  GatedWeights weights;

  at::Tensor run(std::int64_t least_merged) const {
    return gated_linear(x, weights, gates, constants, Offsets(offsets), least_merged);
  }
  std::vector<at::Tensor> leaves() const {
    return {x, gates, constants, weights.inner, weights.outer, weights.direct};
  }
};

Case random_case(const std::vector<std::int64_t>& lengths, std::int64_t in, std::int64_t middle,
                 std::int64_t out) {
  Case c;
  c.offsets.resize(lengths.size() + 1);
  std::partial_sum(lengths.begin(), lengths.end(), c.offsets.begin() + 1);
  const auto count = static_cast<std::int64_t>(lengths.size());
  const auto leaf = [](at::IntArrayRef sizes) { return random(sizes).requires_grad_(true); };
  c.x = leaf({c.offsets.back(), in});
  c.gates = leaf({count, middle});
  c.constants = leaf({count, out});
  c.weights = {leaf({middle, in}), leaf({out, middle}), leaf({out, in})};
  return c;
}

// The formula, one sequence at a time.
at::Tensor by_definition(const Case& c) {
  std::vector<at::Tensor> rows;
  for (std::size_t b = 0; b + 1 < c.offsets.size(); ++b) {
    const auto index = static_cast<std::int64_t>(b);
    const auto x = c.x.narrow(0, c.offsets[b], c.offsets[b + 1] - c.offsets[b]);
    const auto hidden = at::mm(x, c.weights.inner.t()) * c.gates[index];
    rows.push_back(at::mm(hidden, c.weights.outer.t()) + at::mm(x, c.weights.direct.t()) +
                   c.constants[index]);
  }
  return at::cat(rows);
}

class GatedLinear : public ::testing::TestWithParam<std::int64_t> {};

// Lengths on both sides of a block of rows and of the choice between the two ways.
TEST_P(GatedLinear, GivesTheFormulaAndItsGradients) {
  for (const auto& lengths : std::vector<std::vector<std::int64_t>>{
           {3, 0, 1, 7}, {0}, {0, 0, 5}, {130, 1, 255, 256, 0, 257, 2}, {600}, {40, 700, 40, 0}}) {
    const auto c = random_case(lengths, 6, 5, 7);
    const auto y = c.run(GetParam()), expected = by_definition(c);
    ASSERT_TRUE(at::allclose(y, expected, 1e-11, 1e-11)) << lengths;
    const auto actual = torch::autograd::grad({weigh(y)}, c.leaves());
    const auto reference = torch::autograd::grad({weigh(expected)}, c.leaves());
    for (std::size_t i = 0; i < actual.size(); ++i) {
      EXPECT_TRUE(at::allclose(actual[i], reference[i], 1e-9, 1e-9)) << i << " of " << lengths;
    }
  }
}

// Enough long sequences that each thread takes some of them.
TEST_P(GatedLinear, SharesManyLongSequencesOverThreads) {
  const auto c = random_case(std::vector<std::int64_t>(16, 90), 4, 3, 5);
  const auto y = c.run(GetParam()), expected = by_definition(c);
  EXPECT_TRUE(at::allclose(y, expected, 1e-11, 1e-11));
  const auto actual = torch::autograd::grad({weigh(y)}, c.leaves());
  const auto again = torch::autograd::grad({weigh(c.run(GetParam()))}, c.leaves());
  const auto reference = torch::autograd::grad({weigh(expected)}, c.leaves());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_TRUE(at::allclose(actual[i], reference[i], 1e-9, 1e-9)) << i;
    EXPECT_TRUE(at::equal(actual[i], again[i])) << "a repeat differs: " << i;
  }
}

TEST_P(GatedLinear, StreamsEveryRowOnce) {
  const at::NoGradGuard no_gradient;
  const auto c = random_case({130, 1, 0, 700, 257}, 6, 5, 6);
  const auto expected = by_definition(c);
  auto x = c.x.detach().clone();
  std::atomic<std::int64_t> rows = 0;
  stream_gated_linear(x, c.weights, c.gates, c.constants, Offsets(c.offsets), GetParam(),
                      [&](std::int64_t first, const at::Tensor& y) {
                        x.narrow(0, first, y.size(0)).copy_(y);  // in place, as a layer does
                        rows += y.size(0);
                      });
  EXPECT_EQ(rows, 1088);
  EXPECT_TRUE(at::allclose(x, expected, 1e-11, 1e-11));
}

INSTANTIATE_TEST_SUITE_P(LeastMerged, GatedLinear, ::testing::Values(0, 50, 256, kNever));

TEST(GatedLinear, RefusesShapesThatDoNotBelongTogether) {
  const auto c = random_case({3, 2}, 6, 5, 7);
  const Offsets offsets(c.offsets);
  EXPECT_THROW(gated_linear(c.x, c.weights, random({3, 5}), c.constants, offsets, 0), c10::Error);
  EXPECT_THROW(gated_linear(c.x, c.weights, c.gates, random({2, 6}), offsets, 0), c10::Error);
  EXPECT_THROW(gated_linear(random({4, 6}), c.weights, c.gates, c.constants, offsets, 0),
               c10::Error);
  const GatedWeights narrow{c.weights.inner, c.weights.outer, random({7, 5})};
  EXPECT_THROW(gated_linear(c.x, narrow, c.gates, c.constants, offsets, 0), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
