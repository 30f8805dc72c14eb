#include "fastformer/nn/key_queries.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

#include "support/gradient_check.h"

namespace fastformer::nn {
namespace {

using testing::check_gradient;
using testing::random;
using testing::weigh;

TEST(KeyQueries, StandForKeysThatAreScaledAndReadByLogits) {
  const auto logits = random({3, 6}), gates = random({4, 6}), weight = random({6, 5});
  const auto x = random({7, 5});
  const auto queries = key_queries(logits, gates, weight);
  for (std::int64_t b = 0; b < 4; ++b) {
    const auto keys = x.matmul(weight.t());
    EXPECT_TRUE(at::allclose(x.matmul(queries[b].t()), (keys * gates[b]).matmul(logits.t())));
  }
}

TEST(KeyQueries, AreTheSameForFactorsThatLieInColumns) {
  const auto logits = random({3, 6}), gates = random({4, 6}), weight = random({6, 5});
  const auto in_columns = [](const at::Tensor& x) {
    return x.detach().t().contiguous().t().requires_grad_();
  };
  const std::vector<at::Tensor> columns{in_columns(logits), in_columns(gates), in_columns(weight)};
  const std::vector<at::Tensor> rows{logits.requires_grad_(), gates.requires_grad_(),
                                     weight.requires_grad_()};
  const auto expected = key_queries(logits, gates, weight);
  const auto actual = key_queries(columns[0], columns[1], columns[2]);
  EXPECT_TRUE(at::equal(actual, expected));
  const auto expected_gradients = torch::autograd::grad({weigh(expected)}, rows);
  const auto gradients = torch::autograd::grad({weigh(actual)}, columns);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_TRUE(at::allclose(gradients[i], expected_gradients[i]));
  }
}

TEST(KeyQueries, HaveTheGradientsOfCentralDifferences) {
  for (const std::int64_t sequences : {0, 1, 5}) {
    const auto logits = random({3, 6}), gates = random({sequences, 6}), weight = random({6, 5});
    check_gradient([&](const auto& v) { return weigh(key_queries(v, gates, weight)); }, logits);
    check_gradient([&](const auto& v) { return weigh(key_queries(logits, v, weight)); }, gates);
    check_gradient([&](const auto& v) { return weigh(key_queries(logits, gates, v)); }, weight);
  }
}

TEST(KeyQueries, RefusesShapesAndTypesThatDisagree) {
  const auto logits = random({3, 6}), gates = random({4, 6}), weight = random({6, 5});
  EXPECT_THROW(key_queries(logits, gates, weight.t()), c10::Error);
  EXPECT_THROW(key_queries(logits, random({4, 5}), weight), c10::Error);
  EXPECT_THROW(key_queries(logits, gates.to(at::kFloat), weight), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
