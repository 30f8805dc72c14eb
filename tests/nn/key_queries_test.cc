#include "fastformer/nn/key_queries.h"

#include <gtest/gtest.h>

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
