#include "fastformer/nn/layers/embedding.h"

#include <gtest/gtest.h>

namespace fastformer::nn {
namespace {

const std::vector<std::int32_t> kTextIds = {1, 2, 1, 4};
const std::vector<std::int64_t> kTextOffsets = {0, 1, 1, 4};

TEST(Embedding, AddsTokensPositionsAndPairs) {
  ParameterStore store(1);
  const Embedding embedding({.vocabulary_size = 5,
                             .width = 4,
                             .max_positions = 3,
                             .bigram_buckets = 16,
                             .normalization = false},
                            store, "embedding");
  const auto x = embedding.forward(kTextIds, Offsets(kTextOffsets), false);
  const auto& p = store.parameters();
  const auto &token = p.at("embedding.token.weight"), &position = p.at("embedding.position.weight");
  const auto& pairs = p.at("embedding.bigram.weight");
  EXPECT_TRUE(at::allclose(x[0], token[1] + position[0]));
  EXPECT_TRUE(at::allclose(x[1], token[2] + position[0]));
  EXPECT_TRUE(at::allclose(x[2], token[1] + position[1] + pairs[model::bigram_bucket(2, 1, 16)]));
  x.sum().backward();
  EXPECT_TRUE(token.grad().is_sparse());
  const auto touched = embedding.touched_rows(kTextIds, Offsets(kTextOffsets));
  EXPECT_TRUE(at::equal(touched[0].second, at::tensor({1, 2, 4}, at::kLong)));
}

TEST(Embedding, RefusesAnUnknownIdAndALongDocument) {
  ParameterStore store(1);
  const Embedding embedding({.vocabulary_size = 4, .width = 4, .max_positions = 2}, store, "e");
  EXPECT_THROW(embedding.forward(kTextIds, Offsets(kTextOffsets), false), std::invalid_argument);
  const std::vector<std::int32_t> known = {1, 2, 1, 3};
  EXPECT_THROW(embedding.forward(known, Offsets(kTextOffsets), false), std::invalid_argument);
}

}  // namespace
}  // namespace fastformer::nn
