// Models of documents with any number of labels.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "classification/small_recipe.h"
#include "fastformer/base/atomic_file.h"
#include "fastformer/linear/pool.h"
#include "fastformer/model/label_thresholds.h"
#include "support/temporary_folder.h"

namespace fastformer::classification {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// Topics with words of their own; a text has none, one or several.
std::vector<Example> topic_examples(int count) {
  std::mt19937_64 random(5);
  const std::vector<std::pair<std::string, std::string>> topics = {
      {"market", "oil prices"}, {"sport", "team cup"}, {"health", "doctor virus"}};
  std::vector<Example> examples;
  for (int i = 0; i < count; ++i) {
    Example example{.text = "today " + std::to_string(random() % 9)};
    for (const auto& [label, words] : topics) {
      if (random() % 3 > 0) continue;
      example.labels.push_back(label);
      example.text += " " + words;
    }
    examples.push_back(example);
  }
  return examples;
}

Recipe topic_recipe() {
  auto recipe = small_recipe();
  recipe.train.epochs = 6;
  recipe.train.learning_rate = 0.01;
  recipe.data.multi_label = true;
  return recipe;
}

class LabelSetModelTest : public ::testing::Test {
 protected:
  fs::path trained(const std::string& name, Recipe recipe = topic_recipe()) {
    std::string rows;
    for (const auto& example : topic_examples(240)) {
      rows += nlohmann::json{{"text", example.text}, {"tags", example.labels}}.dump() + "\n";
    }
    recipe.data.format = "jsonl";
    recipe.data.train = {folder_.write("data.jsonl", rows).string()};
    recipe.data.label_column = "tags";
    recipe.data.text_columns = {"text"};
    recipe.data.test_fraction = 0.1;
    train(recipe, folder_ / name);
    return folder_ / name;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(LabelSetModelTest, PredictsEachTopicOnItsOwn) {
  for (const bool linear : {true, false}) {
    auto recipe = topic_recipe();
    if (!linear) recipe.linear.members = {};
    const auto classifier = train(topic_examples(240), recipe);
    EXPECT_TRUE(classifier.several_labels());
    EXPECT_EQ(classifier.labels(), (Words{"health", "market", "sport"}));
    auto both = classifier.classify("today 3 oil prices team cup");
    std::sort(both.labels.begin(), both.labels.end());
    EXPECT_EQ(both.labels, (Words{"market", "sport"})) << linear;
    EXPECT_EQ(classifier.classify("doctor virus").label, "health");
    const auto none = classifier.classify("today 4");
    EXPECT_EQ(none.labels, Words{}) << linear;
    EXPECT_EQ(none.label, "");
    EXPECT_EQ(none.probabilities.size(), 3u);
  }
}

TEST_F(LabelSetModelTest, TheDirectoryKeepsAllThatPredicts) {
  const auto run = trained("run");
  const auto classifier = Classifier::load(run / "model");
  const auto& thresholds = classifier.runtime().frame().thresholds;
  ASSERT_EQ(thresholds.size(), 3u);
  const auto saved = nlohmann::json::parse(base::read_file(run / "model" / model::kThresholdsFile));
  EXPECT_EQ(saved.at("sport").get<double>(), thresholds[2]);
  ASSERT_TRUE(classifier.runtime().frame().linear);
  const auto& pool = classifier.runtime().frame().linear->pool;
  EXPECT_NE(pool.bias, 0);
  classifier.runtime().frame().linear->save(folder_ / "again");
  EXPECT_EQ(base::read_file(folder_ / "again"),
            base::read_file(run / "model" / linear::kLinearFile));

  // The probabilities are those of the pool.
  const std::string text = "today 1 team cup";
  const auto& frame = classifier.runtime().frame();
  data::TokenBatch tokens, ngrams;
  frame.tokenizer->encode(text, tokens.ids);
  tokens.offsets.push_back(tokens.tokens());
  frame.linear->model->table().encode(text, ngrams.ids);
  ngrams.offsets.push_back(ngrams.tokens());
  const auto scores = linear::member_scores(
      classifier.runtime().network().logits({tokens.ids, tokens.offsets}, {}, nullptr),
      frame.linear->model.get(), ngrams.ids, ngrams.offsets);
  const auto prediction = classifier.classify(text);
  for (std::size_t c = 0; c < 3; ++c) {
    double logit = pool.bias;
    for (std::size_t k = 0; k < 3; ++k) logit += pool.coefficients[k] * scores[k][c];
    EXPECT_NEAR(prediction.probabilities[c], linear::sigmoid(logit), 1e-6);
    EXPECT_EQ(std::ranges::count(prediction.labels, classifier.labels()[c]),
              prediction.probabilities[c] >= thresholds[c] ? 1 : 0);
  }
}

TEST_F(LabelSetModelTest, ExplainsEachLabel) {
  const auto classifier = train(topic_examples(240), topic_recipe());
  const std::string text = "oil prices team cup";
  const auto amount = [&](const std::string& label, const std::string& ngram) {
    for (const auto& [spelling, value] : classifier.ngrams(text, label)) {
      if (spelling == ngram) return value;
    }
    return 0.0;
  };
  EXPECT_GT(amount("market", "oil"), 0);
  EXPECT_GT(amount("sport", "team"), 0);
  EXPECT_LT(amount("sport", "oil"), amount("market", "oil"));
  const auto explanation = classifier.explain(text);
  EXPECT_EQ(explanation.ngrams, classifier.ngrams(text, explanation.prediction.label));
  EXPECT_MENTIONS(testing::error_of([&] { classifier.ngrams(text, "arts"); }), "'arts'");
}

TEST_F(LabelSetModelTest, BalancedWeightsAndASingleLabelTrain) {
  auto recipe = topic_recipe();
  recipe.loss.class_weights = ClassWeights::kBalanced;
  const auto balanced = train(topic_examples(120), recipe);
  EXPECT_GT(balanced.classify("team cup").probabilities[2],
            balanced.classify("oil prices").probabilities[2]);
  auto examples = topic_examples(120);
  for (auto& example : examples)
    std::erase_if(example.labels, [](auto& l) { return l != "sport"; });
  const auto single = train(examples, topic_recipe());
  EXPECT_EQ(single.labels(), (Words{"sport"}));
  EXPECT_EQ(single.classify("team cup").labels, (Words{"sport"}));
  EXPECT_EQ(single.classify("oil prices").labels, Words{});
}

TEST_F(LabelSetModelTest, ListsNeedTheField) {
  auto recipe = topic_recipe();
  recipe.data.multi_label = false;
  const std::vector<Example> examples = {{.text = "oil", .labels = {"market"}}};
  EXPECT_MENTIONS(testing::error_of([&] { train(examples, recipe); }), "example 1",
                  "data.multi_label = true");
}

TEST_F(LabelSetModelTest, TestFilesHoldEachDocument) {
  const auto run = trained("run");
  const auto test = nlohmann::json::parse(base::read_file(run / "test.json"));
  EXPECT_EQ(test.at("examples"), 24);
  EXPECT_GT(test.at("micro_f1").get<double>(), 0.9);
  EXPECT_EQ(test.at("labels").size(), 3u);
  EXPECT_EQ(test.at("members").size(), 3u);
  const auto predictions = base::read_file(run / "test_predictions.csv");
  EXPECT_TRUE(predictions.starts_with("row,labels,predicted,probabilities\n")) << predictions;
  EXPECT_EQ(std::ranges::count(predictions, '\n'), 25);
  const auto items = base::read_file(run / "test_items.csv");
  EXPECT_TRUE(items.starts_with("item,subset_accuracy,precision_at_1")) << items;
}

}  // namespace
}  // namespace fastformer::classification
