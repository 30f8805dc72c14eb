#include "fastformer/recommendation/item_index.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/nn/tensor_file.h"
#include "support/temporary_folder.h"

namespace fastformer::recommendation {
namespace {

constexpr std::int64_t kVocabulary = 30, kWidth = 8;

RecommenderModel model_of(const std::string& name, std::uint64_t seed) {
  base::ConfigTree tree;
  for (const auto& setting :
       {"model.model=" + name, "model.width=" + std::to_string(kWidth),
        std::string("model.heads=2"), std::string("model.users.heads=2"),
        std::string("model.query_width=4"), std::string("model.matched_words=4"),
        std::string("model.matched_items=3"), std::string("model.filters=4")}) {
    tree.set(setting);
  }
  return {ModelConfig::read(tree), kVocabulary, seed};
}

TitleTokens titles_of(const std::vector<std::vector<std::int32_t>>& titles) {
  TitleTokens tokens;
  for (const auto& title : titles) {
    tokens.ids.insert(tokens.ids.end(), title.begin(), title.end());
    tokens.offsets.push_back(static_cast<std::int64_t>(tokens.ids.size()));
  }
  return tokens;
}

at::Tensor encoded_by(const RecommenderModel& model, const TitleTokens& titles) {
  const c10::NoGradGuard no_gradients;
  return model.encode_items(titles.ids, nn::Offsets(titles.offsets));
}

class ItemIndexTest : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_ / "items.index"; }
  const RecommenderModel model_ = model_of("nrms", 1);
  // The second and the last are equal, the first is that of an unknown item.
  const TitleTokens titles_ = titles_of({{}, {3, 4, 5}, {5, 4, 3}, {7}, {3, 4, 5}});
  testing::TemporaryFolder folder_;
};

TEST_F(ItemIndexTest, HasTheVectorsOfTheModelAndEncodesEqualTitlesOnce) {
  ItemIndex index(model_, "");
  const auto vectors = index.vectors(titles_);
  EXPECT_TRUE(at::allclose(vectors, encoded_by(model_, titles_), 1e-5, 1e-6));
  EXPECT_TRUE(at::equal(vectors[1], vectors[4]));
  EXPECT_FALSE(at::allclose(vectors[1], vectors[3]));
  EXPECT_EQ(index.encoded(), 3);
  EXPECT_TRUE(at::equal(index.vectors(titles_), vectors));
  EXPECT_EQ(index.encoded(), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(ItemIndexTest, AFileSparesWhatItHolds) {
  const auto vectors = ItemIndex(model_, file()).vectors(titles_);
  const auto content = base::read_file(file());
  ItemIndex again(model_, file());
  EXPECT_TRUE(at::equal(again.vectors(titles_), vectors));
  EXPECT_EQ(again.encoded(), 0);
  EXPECT_EQ(base::read_file(file()), content);

  // In another order, with one that is new and without some that are there.
  const auto grown = titles_of({{7}, {8, 9}, {3, 4, 5}});
  ItemIndex third(model_, file());
  const auto found = third.vectors(grown);
  EXPECT_EQ(third.encoded(), 1);
  EXPECT_TRUE(at::equal(found[0], vectors[3]));
  EXPECT_TRUE(at::equal(found[2], vectors[1]));
  EXPECT_TRUE(at::allclose(found[1], encoded_by(model_, grown)[1], 1e-5, 1e-6));
  ItemIndex last(model_, file());
  EXPECT_TRUE(at::equal(last.vectors(titles_), vectors));
  last.vectors(grown);
  EXPECT_EQ(last.encoded(), 0) << "the new title was kept beside the old ones";
}

TEST_F(ItemIndexTest, AnotherModelReplacesTheFile) {
  const auto vectors = ItemIndex(model_, file()).vectors(titles_);
  const auto other = model_of("nrms", 2);
  ItemIndex index(other, file());
  const auto replaced = index.vectors(titles_);
  EXPECT_EQ(index.encoded(), 3);
  EXPECT_FALSE(at::allclose(replaced, vectors));
  EXPECT_TRUE(at::allclose(replaced, encoded_by(other, titles_), 1e-5, 1e-6));
  ItemIndex back(model_, file());
  EXPECT_TRUE(at::equal(back.vectors(titles_), vectors));
  EXPECT_EQ(back.encoded(), 3);
}

TEST_F(ItemIndexTest, AnotherPrecisionReplacesTheFile) {
  const auto exact = ItemIndex(model_, file()).vectors(titles_);
  {
    const kernels::ComputeScope scope(kernels::Precision::kBf16);
    ItemIndex index(model_, file());
    const auto rounded = index.vectors(titles_);
    EXPECT_EQ(index.encoded(), 3);
    EXPECT_FALSE(at::equal(rounded, exact));
    EXPECT_TRUE(at::equal(rounded, ItemIndex(model_, "").vectors(titles_)));
    ItemIndex again(model_, file());
    EXPECT_TRUE(at::equal(again.vectors(titles_), rounded));
    EXPECT_EQ(again.encoded(), 0);
  }
  ItemIndex back(model_, file());
  EXPECT_TRUE(at::equal(back.vectors(titles_), exact));
  EXPECT_EQ(back.encoded(), 3);
}

TEST_F(ItemIndexTest, AFileThatDoesNotNameItsPrecisionIsReplaced) {
  ItemIndex(model_, file()).vectors(titles_);
  auto content = nn::load_tensors(file());
  content.metadata.erase("precision");
  nn::save_tensors(file(), content.tensors, content.metadata);
  ItemIndex index(model_, file());
  index.vectors(titles_);
  EXPECT_EQ(index.encoded(), 3);
}

TEST_F(ItemIndexTest, TitlesBeyondOneBatchKeepTheirPlaces) {
  std::vector<std::vector<std::int32_t>> many;
  for (std::int32_t i = 0; i < 5000; ++i) many.push_back({i % 30, i / 30 % 30, i / 900});
  const auto titles = titles_of(many);
  EXPECT_TRUE(
      at::allclose(ItemIndex(model_, "").vectors(titles), encoded_by(model_, titles), 1e-5, 1e-6));
}

TEST_F(ItemIndexTest, RefusesWhatIsNoIndex) {
  const auto error = [&] { return testing::error_of([&] { ItemIndex(model_, file()); }); };
  folder_.write("items.index", "no tensors");
  EXPECT_MENTIONS(error(), "items.index");
  ItemIndex(model_, "").vectors(titles_);
  std::filesystem::remove(file());
  ItemIndex(model_, file()).vectors(titles_);
  const auto good = nn::load_tensors(file());
  const auto& keys = good.tensors.at("keys");
  const auto& vectors = good.tensors.at("vectors");
  for (const auto& tensors :
       std::vector<nn::ParameterMap>{{{"keys", keys}},
                                     {{"vectors", vectors}},
                                     {{"keys", keys}, {"vectors", vectors}, {"more", keys}},
                                     {{"keys", keys.slice(0, 1)}, {"vectors", vectors}},
                                     {{"keys", keys.to(at::kFloat)}, {"vectors", vectors}},
                                     {{"keys", keys}, {"vectors", vectors.to(at::kLong)}},
                                     {{"keys", keys}, {"vectors", vectors.to(at::kHalf)}},
                                     {{"keys", keys}, {"vectors", vectors.to(at::kDouble)}},
                                     {{"keys", keys}, {"vectors", vectors.slice(1, 1)}},
                                     {{"keys", keys.unsqueeze(1)}, {"vectors", vectors}},
                                     {{"keys", keys}, {"vectors", vectors.flatten()}}}) {
    nn::ParameterMap contiguous;
    for (const auto& [name, tensor] : tensors) contiguous[name] = tensor.contiguous();
    nn::save_tensors(file(), contiguous, good.metadata);
    EXPECT_MENTIONS(error(), "items.index", "is not an item index", "delete it");
  }
  // Right in shape, but not what was written.
  nn::save_tensors(file(), {{"keys", keys}, {"vectors", vectors + 1}}, good.metadata);
  EXPECT_MENTIONS(error(), "items.index", "checksum");
  // The weights of a model, say: what is no index is never replaced.
  nn::save_tensors(file(), {{"weight", vectors}}, {{"format", "pt"}});
  EXPECT_MENTIONS(error(), "items.index", "is not an item index", "left unchanged");
  EXPECT_MENTIONS(testing::error_of([] { ItemIndex(model_of("fim", 1), ""); }), "fim", "nrms");
}

}  // namespace
}  // namespace fastformer::recommendation
