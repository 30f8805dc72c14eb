#include "fastformer/linear/linear_part.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "classification/small_recipe.h"
#include "fastformer/base/atomic_file.h"
#include "fastformer/classification/dataset.h"
#include "fastformer/classification/training.h"
#include "fastformer/data/corpus.h"
#include "support/temporary_folder.h"

namespace fastformer::classification {
namespace {

namespace fs = std::filesystem;

std::vector<Example> examples() {
  std::vector<Example> result;
  for (int i = 0; i < 90; ++i) {
    const auto word = std::to_string(i % 5);
    result.push_back(i % 2 == 0 ? Example{.text = "oil prices fall " + word, .label = "market"}
                                : Example{.text = "the team wins cup " + word, .label = "sport"});
  }
  return result;
}

class LinearPartTest : public ::testing::Test {
 protected:
  fs::path trained(const Recipe& recipe) {
    std::string rows;
    for (const auto& example : examples()) rows += example.label + "," + example.text + "\n";
    return train_on_rows(recipe, rows, folder_);
  }
  testing::TemporaryFolder folder_;
};

TEST_F(LinearPartTest, AModelKeepsItsMembersInItsDirectory) {
  const auto model = trained(small_recipe());
  ASSERT_TRUE(fs::exists(model / linear::kLinearFile));
  const auto loaded = Classifier::load(model);
  const auto& part = loaded.runtime().frame().linear;
  ASSERT_TRUE(part);
  EXPECT_EQ(part->model->members().size(), 2u);
  EXPECT_EQ(part->pool.coefficients.size(), 3u);
  part->save(folder_ / "again");
  EXPECT_EQ(base::read_file(folder_ / "again"), base::read_file(model / linear::kLinearFile));
  const auto copy = linear::LinearPart::load(folder_ / "again", 2);
  EXPECT_EQ(copy.pool.coefficients, part->pool.coefficients);
  std::vector<std::int32_t> columns;
  copy.model->table().encode("oil prices fall", columns);
  EXPECT_GT(columns.size(), 5u);
  EXPECT_EQ(copy.model->scores(columns), part->model->scores(columns));
}

TEST_F(LinearPartTest, PredictionsAreThePoolOfAllMembers) {
  const auto classifier = train(examples(), small_recipe());
  EXPECT_EQ(classifier.classify("oil prices").label, "market");
  EXPECT_EQ(classifier.classify("the team").label, "sport");
  const auto& frame = classifier.runtime().frame();
  const std::string text = "the cup prices";
  data::TokenBatch tokens, ngrams;
  frame.tokenizer->encode(text, tokens.ids);
  tokens.offsets.push_back(tokens.tokens());
  frame.linear->model->table().encode(text, ngrams.ids);
  ngrams.offsets.push_back(ngrams.tokens());
  const auto scores = linear::member_scores(
      classifier.runtime().network().logits({tokens.ids, tokens.offsets}, {}, nullptr),
      frame.linear->model.get(), ngrams.ids, ngrams.offsets);
  double difference = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    difference += frame.linear->pool.coefficients[k] * (scores[k][0] - scores[k][1]);
  }
  EXPECT_NEAR(classifier.classify(text).probabilities[0], 1 / (1 + std::exp(-difference)), 1e-6);
  const auto explanation = classifier.explain("the team wins");
  ASSERT_FALSE(explanation.ngrams.empty());
  EXPECT_GT(explanation.ngrams.front().second, 0);
}

TEST_F(LinearPartTest, WithoutMembersTheNetworkStandsAlone) {
  auto recipe = small_recipe();
  recipe.linear.members = {};
  const auto model = trained(recipe);
  EXPECT_FALSE(fs::exists(model / linear::kLinearFile));
  EXPECT_FALSE(Classifier::load(model).runtime().frame().linear);
}

TEST_F(LinearPartTest, AModelThatLostTheFileIsRefused) {
  const auto model = trained(small_recipe());
  fs::remove(model / linear::kLinearFile);
  EXPECT_MENTIONS(testing::error_of([&] { Classifier::load(model); }), model.string(),
                  "lacks linear.safetensors", "copy the whole model directory");
}

TEST_F(LinearPartTest, ADamagedFileIsRefused) {
  const auto file = trained(small_recipe()) / linear::kLinearFile;
  const auto good = base::read_file(file);
  EXPECT_MENTIONS(testing::error_of([&] { linear::LinearPart::load(file, 3); }),
                  "linear.safetensors", "shape");
  base::write_file_atomically(file, good.substr(0, good.size() - 8));
  EXPECT_MENTIONS(testing::error_of([&] { linear::LinearPart::load(file, 2); }),
                  "linear.safetensors");
  auto renamed = good;
  renamed.replace(renamed.find("\"sharpness\""), 11, "\"sharpnezz\"");
  base::write_file_atomically(file, renamed);
  EXPECT_MENTIONS(testing::error_of([&] { linear::LinearPart::load(file, 2); }), "'sharpness'");
}

TEST_F(LinearPartTest, ASecondPreparationReadsTheMembersFromTheCache) {
  std::string rows;
  for (const auto& example : examples()) rows += example.label + "," + example.text + "\n";
  DataConfig data{.train = {folder_.write("data.csv", rows).string()},
                  .text_columns = {"2"},
                  .label_column = "1",
                  .header = HeaderRow::kNo,
                  .validation_fraction = 0.2};
  const auto first = prepare(data, {}, {}, folder_ / "cache");
  const auto second = prepare(data, {}, {}, folder_ / "cache");
  ASSERT_TRUE(first.linear && second.linear);
  EXPECT_EQ(first.linear->pool.coefficients, second.linear->pool.coefficients);
  ASSERT_EQ(first.train.ngrams.size(), second.train.ngrams.size());
  const auto columns = first.train.ngrams.tokens(0);
  EXPECT_EQ(first.linear->model->scores(columns), second.linear->model->scores(columns));
}

TEST(LinearRowsTest, OfManyNgramsSomeTextsAreTaken) {
  data::CorpusWriter ngrams, labels;
  for (std::int32_t row = 0; row < 10; ++row) {
    ngrams.add(std::vector<std::int32_t>{row + 1, row}, row);
    labels.add(std::vector<std::int32_t>{row % 2}, row);
  }
  const LabelledCorpus corpus{.texts = {}, .ngrams = ngrams.finish(), .labels = labels.finish()};
  const auto first_columns = [&](std::int64_t most) {
    std::vector<std::int32_t> first;
    const auto rows = linear_rows({&corpus}, 2, false, most);
    for (const auto& columns : rows.columns) first.push_back(columns.front());
    EXPECT_EQ(rows.targets.size(), std::ssize(first));
    return first;
  };
  using Rows = std::vector<std::int32_t>;
  EXPECT_EQ(first_columns(20), (Rows{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(first_columns(19), (Rows{0, 2, 4, 6, 8}));
  EXPECT_EQ(first_columns(7), (Rows{0, 3, 6, 9}));
}

}  // namespace
}  // namespace fastformer::classification
