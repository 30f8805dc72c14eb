#include "fastformer/nn/embedding.h"

#include <gtest/gtest.h>

#include "fastformer/nn/token_dropout.h"

namespace fastformer::nn {
namespace {

const std::vector<std::int32_t> kIds = {1, 2, 1, 4};
const std::vector<std::int64_t> kTextOffsets = {0, 1, 1, 4};

TEST(Embedding, AddsTokensPositionsAndPairs) {
  ParameterStore store(1);
  const Embedding embedding({.vocabulary_size = 5,
                             .width = 4,
                             .max_positions = 3,
                             .bigram_buckets = 16,
                             .normalization = false},
                            store, "embedding");
  const auto x = embedding.forward(kIds, Offsets(kTextOffsets), false);
  const auto& p = store.parameters();
  const auto &token = p.at("embedding.token.weight"), &position = p.at("embedding.position.weight");
  const auto& pairs = p.at("embedding.bigram.weight");
  EXPECT_TRUE(at::allclose(x[0], token[1] + position[0]));
  EXPECT_TRUE(at::allclose(x[1], token[2] + position[0]));
  EXPECT_TRUE(at::allclose(x[2], token[1] + position[1] + pairs[bigram_bucket(2, 1, 16)]));
  x.sum().backward();
  EXPECT_TRUE(token.grad().is_sparse());
  const auto touched = embedding.touched_rows(kIds, Offsets(kTextOffsets));
  EXPECT_TRUE(at::equal(touched[0].second, at::tensor({1, 2, 4}, at::kLong)));
}

TEST(Embedding, RefusesAnUnknownIdAndALongDocument) {
  ParameterStore store(1);
  const Embedding embedding({.vocabulary_size = 4, .width = 4, .max_positions = 2}, store, "e");
  EXPECT_THROW(embedding.forward(kIds, Offsets(kTextOffsets), false), std::invalid_argument);
  const std::vector<std::int32_t> known = {1, 2, 1, 3};
  EXPECT_THROW(embedding.forward(known, Offsets(kTextOffsets), false), std::invalid_argument);
}

TEST(TokenDropout, KeepsAtLeastOneTokenAndTheOrder) {
  at::manual_seed(1);
  const auto x = at::arange(40).view({40, 1}).to(at::kFloat);
  const std::vector<std::int64_t> offsets = {0, 1, 1, 40};
  const auto none = drop_tokens(x, Offsets(offsets), 1.0);
  EXPECT_EQ(none.offsets, (std::vector<std::int64_t>{0, 1, 1, 2}));
  const auto half = drop_tokens(x, Offsets(offsets), 0.5);
  EXPECT_GT(half.rows.size(0), 8);
  EXPECT_LT(half.rows.size(0), 36);
  EXPECT_TRUE((half.rows.slice(0, 1) > half.rows.slice(0, 0, -1)).all().item<bool>());
  EXPECT_TRUE(at::equal(drop_tokens(x, Offsets(offsets), 0).rows, x));
}

TEST(ParameterStore, OneNameIsOneTensor) {
  ParameterStore store(1);
  EXPECT_TRUE(store.normal("a", {2}).is_same(store.normal("a", {2})));
  ParameterStore again(1);
  EXPECT_TRUE(at::equal(store.normal("a", {2}), again.normal("a", {2})));
}

}  // namespace
}  // namespace fastformer::nn
