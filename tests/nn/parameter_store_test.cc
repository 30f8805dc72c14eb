#include "fastformer/nn/parameter_store.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>

#include "fastformer/nn/tensor_file.h"
#include "support/temporary_folder.h"

namespace fastformer::nn {
namespace {

TEST(ParameterStore, OneNameIsOneTensor) {
  ParameterStore store(1);
  EXPECT_TRUE(store.normal("a", {2}).is_same(store.normal("a", {2})));
  ParameterStore again(1);
  EXPECT_TRUE(at::equal(store.normal("a", {2}), again.normal("a", {2})));
}

class StoreOfAFile : public ::testing::Test {
 protected:
  std::string error_of(const ParameterMap& tensors, const std::vector<std::int64_t>& shape = {2, 3},
                       at::ScalarType dtype = at::kFloat) {
    save_tensors(path_, tensors);
    return testing::error_of([&] {
      auto store = ParameterStore::from_file(path_, dtype);
      store.normal("a", shape);
      store.constant("b", {1}, 0);
      store.finish();
    });
  }
  testing::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "model.safetensors";
  at::Tensor a_ = at::arange(6).reshape({2, 3}).to(at::kFloat), b_ = at::ones({1});
};

TEST_F(StoreOfAFile, GivesItsTensors) {
  ASSERT_EQ(error_of({{"a", a_}, {"b", b_}}), "");
  auto store = ParameterStore::from_file(path_);
  const auto a = store.normal("a", {2, 3});
  EXPECT_TRUE(at::equal(a, a_));
  EXPECT_TRUE(a.requires_grad());
  EXPECT_TRUE(store.normal("a", {2, 3}).is_same(a));
}

TEST_F(StoreOfAFile, RefusesWhatTheModelDoesNotHave) {
  EXPECT_MENTIONS(error_of({{"a", a_}}), "'b' is missing");
  EXPECT_MENTIONS(error_of({{"a", a_}, {"b", b_}, {"bb", b_}}), "no parameter 'bb'",
                  "did you mean 'b'");
  EXPECT_MENTIONS(error_of({{"a", a_}, {"b", b_}}, {3, 3}), "model.safetensors",
                  "has the shape [2, 3], but the model expects [3, 3]");
  // Nothing of a size that only the configuration asks for is allocated.
  EXPECT_MENTIONS(error_of({{"a", a_}, {"b", b_}}, {1 << 30, 1 << 30}), "the model expects");
  EXPECT_MENTIONS(error_of({{"a", a_}, {"b", b_}}, {2, 3}, at::kDouble), "Float", "Double");
  EXPECT_LT(error_of({{"a", a_}, {"b", b_}, {std::string(300'000, 'x'), b_}}).size(), 400u);
}

TEST_F(StoreOfAFile, RefusesNumbersThatAreNotFinite) {
  for (const auto value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    auto a = a_.clone();
    a[1][1] = value;
    EXPECT_MENTIONS(error_of({{"a", a}, {"b", b_}}), "'a'", "not finite", "train it again");
  }
  EXPECT_EQ(testing::error_of([] { check_finite(at::empty({0}), "x"); }), "");
  EXPECT_EQ(testing::error_of([] { check_finite(at::ones({3}, at::kBFloat16), "x"); }), "");
}

TEST(ParameterStore, WithoutValuesTakesNoMemory) {
  auto store = ParameterStore::without_values();
  const std::int64_t large = std::int64_t{1} << 40;
  EXPECT_EQ(store.normal("a", {large, 3}).sizes(), at::IntArrayRef({large, 3}));
  EXPECT_EQ(count_of(store.parameters()).all, 3 * large);
}

TEST_F(StoreOfAFile, TheParametersOfOnePrefixMayComeFromElsewhere) {
  class Ones final : public ParameterSource {
   public:
    at::Tensor read(const std::string& name, const std::vector<std::int64_t>& shape,
                    at::ScalarType dtype) override {
      names += name + " ";
      return at::ones(shape, dtype);
    }
    std::string names;
  };
  const auto ones = std::make_shared<Ones>();
  ParameterStore store(1), alone(1);
  store.read_from("part.", ones);
  EXPECT_EQ(store.normal("part.a", {2}).sum().item<float>(), 2);
  // Drawn as if the part were not there.
  EXPECT_TRUE(at::equal(store.normal("b", {2}), alone.normal("b", {2})));
  EXPECT_EQ(ones->names, "a ");
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
