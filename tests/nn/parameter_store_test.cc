#include "fastformer/nn/parameter_store.h"

#include <gtest/gtest.h>

namespace fastformer::nn {
namespace {

TEST(ParameterStore, OneNameIsOneTensor) {
  ParameterStore store(1);
  EXPECT_TRUE(store.normal("a", {2}).is_same(store.normal("a", {2})));
  ParameterStore again(1);
  EXPECT_TRUE(at::equal(store.normal("a", {2}), again.normal("a", {2})));
}

TEST(ParameterCount, SkipsTheTablesThatTokensAreLookedUpIn) {
  ParameterStore store(1);
  for (const auto* name : {"embedding.token", "target_embedding.position",
                           "pretrained.embeddings.word_embeddings.weight"}) {
    store.normal(name, {100, 8});
  }
  store.normal("layers.0.query.weight", {8, 8});
  store.normal("pretrained.encoder.bias", {8});
  const auto count = count_of(store.parameters());
  EXPECT_EQ(count.all, 3 * 800 + 64 + 8);
  EXPECT_EQ(count.outside_tables, 64 + 8);
  EXPECT_EQ(count_of({}).all, 0);
}

}  // namespace
}  // namespace fastformer::nn
