// Documents with any number of labels, from their files to a loss.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/classification/dataset.h"
#include "fastformer/classification/dataset_scan.h"
#include "fastformer/classification/label_set_loss.h"
#include "fastformer/classification/label_thresholds.h"
#include "fastformer/classification/training.h"
#include "fastformer/linear/pool.h"
#include "fastformer/model/label_thresholds.h"
#include "support/gradient_check.h"
#include "support/temporary_folder.h"

namespace fastformer::classification {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;
using Labels = std::vector<std::int32_t>;

class LabelListsTest : public ::testing::Test {
 protected:
  // "labels joined by +|text" of each row.
  Words rows(const std::string& content, const std::string& name = "a.csv") {
    Words all;
    for_each_example(config_, {folder_.write(name, content).string()}, [&](Example& example) {
      EXPECT_EQ(example.label, "");
      std::string labels;
      for (const auto& label : example.labels) labels += (labels.empty() ? "" : "+") + label;
      all.push_back(labels + "|" + example.text);
    });
    return all;
  }
  std::string error(const std::string& content, const std::string& name = "a.csv") {
    return testing::error_of([&] { rows(content, name); });
  }
  std::string config_error() const {
    return testing::error_of([&] { config_.validate(); });
  }

  DataConfig config_{.text_columns = {"text"}};
  testing::TemporaryFolder folder_;
};

TEST_F(LabelListsTest, JsonHasLists) {
  config_.format = "jsonl";
  config_.label_column = "tags";
  const std::string content =
      "{\"text\":\"x\",\"tags\":[\"b\",\" a \",\"b\",\"\"]}\n{\"text\":\"y\",\"tags\":[]}\n"
      "{\"text\":\"z\",\"tags\":null}\n{\"text\":\"w\",\"tags\":[2.0,true]}\n"
      "{\"text\":\"v\",\"tags\":\"one\"}\n";
  EXPECT_MENTIONS(error(content), "a.csv:1", "'tags'", "data.multi_label = true");
  config_.multi_label = true;
  EXPECT_EQ(rows(content), (Words{"a+b|x", "|y", "|z", "2+true|w", "one|v"}));
  EXPECT_MENTIONS(error("{\"text\":\"x\",\"tags\":[[1]]}\n"), "a.csv:1", "'tags'", "array");
  EXPECT_MENTIONS(error("{\"text\":\"x\"}\n"), "a.csv:1", "'tags'");
}

TEST_F(LabelListsTest, OneColumnHasASeparator) {
  config_.label_column = "tags";
  config_.label_separator = ";";
  EXPECT_EQ(rows("text,tags\nx, b; a;;b\ny,\nz,c\n"), (Words{"a+b|x", "|y", "c|z"}));
  config_.label_separator = ", ";
  EXPECT_EQ(rows("text,tags\nx,\"b, a\"\n"), (Words{"a+b|x"}));
  config_.format = "jsonl";
  EXPECT_EQ(rows("{\"text\":\"x\",\"tags\":\"b, a\"}\n"), (Words{"a+b|x"}));
}

TEST_F(LabelListsTest, EachLabelHasAColumn) {
  config_.label_columns = {"toxic", "rude"};
  EXPECT_EQ(rows("text,rude,toxic\nx,1,0\ny,0,0\nz,1.0,TRUE\n"),
            (Words{"rude|x", "|y", "rude+toxic|z"}));
  EXPECT_MENTIONS(error("text,rude,toxic\nx,2,0\n"), "a.csv:2", "'rude'", "'2'", "0 or 1");
  EXPECT_MENTIONS(error("text,rude\nx,1\n"), "'toxic'");
  config_.format = "jsonl";
  EXPECT_EQ(rows("{\"text\":\"x\",\"rude\":1,\"toxic\":false}\n"), (Words{"rude|x"}));
}

TEST_F(LabelListsTest, FasttextLinesBeginWithSeveral) {
  config_ = {.format = "fasttext"};
  const std::string line = "__label__pos __label__home soft blanket\n";
  EXPECT_MENTIONS(error(line), "a.csv:1", "data.multi_label = true");
  config_.multi_label = true;
  EXPECT_EQ(rows(line + "no label\n__label__pos\n"),
            (Words{"home+pos|soft blanket", "|no label", "pos|"}));
}

TEST_F(LabelListsTest, ABadRowThatIsSkippedLeavesNoLabels) {
  config_.label_columns = {"a", "b"};
  config_.bad_rows = data::BadRows::kSkip;
  EXPECT_EQ(rows("text,a,b\nx,1,9\ny,0,1\n"), (Words{"b|y"}));
}

TEST_F(LabelListsTest, FieldsThatContradictAreRefused) {
  config_.label_column = "tags";
  EXPECT_EQ(config_error(), "");
  config_.multi_label = true;
  EXPECT_MENTIONS(config_error(), "data.multi_label", "data.label_separator");
  config_.label_separator = ";";
  EXPECT_EQ(config_error(), "");
  config_.label_columns = {"a"};
  EXPECT_MENTIONS(config_error(), "data.label_columns", "label_column");
  config_.label_column = config_.label_separator = "";
  EXPECT_EQ(config_error(), "");
  config_.label_columns = {"a", "a"};
  EXPECT_MENTIONS(config_error(), "twice");
  config_.label_columns = {"text"};
  EXPECT_MENTIONS(config_error(), "data.label_columns", "'text'");
  config_ = {.format = "fasttext", .label_separator = ";"};
  EXPECT_MENTIONS(config_error(), "label_separator", "fasttext");
}

class LabelSetDataTest : public LabelListsTest {
 protected:
  LabelSetDataTest() {
    config_.label_column = "tags";
    config_.label_separator = ";";
  }
  Dataset prepared(const std::string& content) {
    config_.train = {folder_.write("train.csv", content).string()};
    text::TokenizerConfig text;
    text.minimum_count = 1;
    return prepare(config_, text, {.members = {}}, folder_ / "cache");
  }
  static Labels ids(const LabelledCorpus& corpus, std::int64_t row) {
    const auto tokens = corpus.labels.tokens(row);
    return {tokens.begin(), tokens.end()};
  }
};

TEST_F(LabelSetDataTest, DocumentsWithoutLabelsStay) {
  for (int reading = 0; reading < 2; ++reading) {  // the second time from the cache
    const auto dataset = prepared("text,tags\nx,b;a\ny,\nz,b\n");
    EXPECT_TRUE(dataset.several_labels);
    EXPECT_EQ(dataset.labels, (Words{"a", "b"}));
    ASSERT_EQ(dataset.train.size(), 3);
    EXPECT_EQ(ids(dataset.train, 0), (Labels{0, 1}));
    EXPECT_EQ(ids(dataset.train, 1), (Labels{}));
    EXPECT_EQ(dataset.train.class_counts(2), (std::vector<std::int64_t>{1, 2}));
  }
}

TEST_F(LabelSetDataTest, RareLabelsAreDroppedAndTheirDocumentsStay) {
  config_.minimum_class_count = 2;
  const auto dataset = prepared("text,tags\nx,b;a\ny,c\nz,b\n");
  EXPECT_EQ(dataset.labels, (Words{"b"}));
  EXPECT_EQ(dataset.train.size(), 3);
  EXPECT_MENTIONS(dataset.summary(), "2 rare labels");
  config_.minimum_class_count = 9;
  EXPECT_MENTIONS(testing::error_of([&] { prepared("text,tags\nx,b;a\n"); }),
                  "minimum_class_count = 9", "lower it");
  EXPECT_MENTIONS(testing::error_of([&] { prepared("text,tags\nx,\n"); }), "no row has a label");
}

TEST_F(LabelSetDataTest, LabelsThatNoTrainingRowHasAreIgnored) {
  config_.test = {folder_.write("test.csv", "text,tags\nx,a;unheard\n").string()};
  const auto dataset = prepared("text,tags\nx,b;a\nz,b\n");
  EXPECT_EQ(ids(dataset.test, 0), (Labels{0}));
  ASSERT_FALSE(dataset.notices.empty());
  EXPECT_MENTIONS(dataset.notices.front(), "'unheard'", "ignored");
}

TEST_F(LabelSetDataTest, OneLabelEachIsNoticed) {
  const auto dataset = prepared("text,tags\nx,b\nz,a\n");
  ASSERT_FALSE(dataset.notices.empty());
  EXPECT_MENTIONS(dataset.notices.front(), "each row has one label");
}

TEST_F(LabelSetDataTest, TheSplitDividesRareLabels) {
  std::string content = "text,tags\n";
  for (int i = 0; i < 400; ++i) {
    content += "text " + std::to_string(i) + ",common" + (i % 20 == 0 ? ";rare\n" : "\n");
  }
  config_.validation_fraction = config_.test_fraction = 0.1;
  const auto dataset = prepared(content);
  ASSERT_EQ(dataset.labels, (Words{"common", "rare"}));
  EXPECT_EQ(dataset.validation.class_counts(2), (std::vector<std::int64_t>{40, 2}));
  EXPECT_EQ(dataset.test.class_counts(2), (std::vector<std::int64_t>{40, 2}));
}

TEST_F(LabelSetDataTest, ExportedPartsAreReadAgain) {
  config_.train = {folder_.write("train.csv", "text,tags\nx,b;a\ny,\n").string()};
  export_parts(config_, folder_ / "parts");
  EXPECT_EQ(base::read_file(folder_ / "parts/train.tsv"), "a;b\tx\n\ty\n");
  config_.label_separator = "+";
  config_.train = {folder_.write("train.csv", "text,tags\nx,b+a\n").string()};
  export_parts(config_, folder_ / "parts");
  EXPECT_EQ(base::read_file(folder_ / "parts/train.tsv"), "a+b\tx\n");
}

TEST(LabelSetLossTest, IsTheSumOfTheSigmoidsCrossEntropies) {
  const LabelSetLoss loss({}, std::vector<std::int64_t>{3, 1}, 4);
  data::TokenBatch labels;
  labels.add(Labels{1});
  labels.add(Labels{});
  const auto logits = at::tensor({0.5, -1.0, 2.0, 0.0}, at::kDouble).view({2, 2});
  const auto softplus = [](double z) { return std::log1p(std::exp(z)); };
  const double expected = (softplus(0.5) + softplus(1.0) + softplus(2.0) + softplus(0.0)) / 2;
  EXPECT_NEAR(loss.forward(logits, labels).item<double>(), expected, 1e-12);
  const auto huge = at::tensor({1000.0, 1000.0, -1000.0, -1000.0}, at::kFloat).view({2, 2});
  EXPECT_NEAR(loss.forward(huge, labels).item<double>(), 500, 1e-3);
}

TEST(LabelSetLossTest, AgreesWithLibTorch) {
  at::manual_seed(3);
  const auto logits = at::randn({5, 7}, at::kDouble) * 3;
  data::TokenBatch labels;
  auto dense = at::zeros({5, 7}, at::kDouble);
  for (const auto& own : std::vector<Labels>{{0, 6}, {}, {1, 2, 3, 4, 5}, {6}, {0}}) {
    for (const auto label : own) dense[labels.size()][label] = 1;
    labels.add(own);
  }
  const LabelSetLoss loss({}, std::vector<std::int64_t>(7, 1), 5);
  const auto expected =
      at::binary_cross_entropy_with_logits(logits, dense, {}, {}, at::Reduction::Sum) / 5;
  EXPECT_NEAR(loss.forward(logits, labels).item<double>(), expected.item<double>(), 1e-12);
}

TEST(LabelSetLossTest, GradientsAreThoseOfFiniteDifferences) {
  at::manual_seed(4);
  data::TokenBatch labels;
  for (const auto& own : std::vector<Labels>{{0, 3}, {}, {1}}) labels.add(own);
  for (const auto weights : {ClassWeights::kNone, ClassWeights::kBalanced}) {
    for (const double smoothing : {0.0, 0.3}) {
      const LabelSetLoss loss({.label_smoothing = smoothing, .class_weights = weights},
                              std::vector<std::int64_t>{1, 5, 0, 9}, 10);
      testing::check_gradient(
          [&](const at::Tensor& logits) { return loss.forward(logits, labels) * 1.7; },
          at::randn({3, 4}, at::kDouble) * 2);
    }
  }
}

TEST(LabelSetLossTest, BalancedWeightsAreScikitLearns) {
  const LabelSetLoss loss({.class_weights = ClassWeights::kBalanced}, std::vector<std::int64_t>{2},
                          10);
  data::TokenBatch with, without;
  with.add(Labels{0});
  without.add(Labels{});
  const auto zero = at::zeros({1, 1}, at::kDouble);
  EXPECT_NEAR(loss.forward(zero, with).item<double>(), 10.0 / (2 * 2) * std::log(2), 1e-12);
  EXPECT_NEAR(loss.forward(zero, without).item<double>(), 10.0 / (2 * 8) * std::log(2), 1e-12);
  EXPECT_MENTIONS(testing::error_of([] {
                    LabelSetLoss({.prior_adjustment = 1}, std::vector<std::int64_t>{2}, 10);
                  }),
                  "train.prior_adjustment");
}

TEST(LabelThresholdsTest, RareLabelsShareOne) {
  // Label 0 has ten documents, all above 0.2; label 1 has one, at 0.9, and another without it.
  linear::Targets targets{.classes = 2, .several = true};
  std::vector<double> logits;
  const auto logit = [](double p) { return std::log(p / (1 - p)); };
  for (int i = 0; i < 20; ++i) {
    targets.add(i == 0 ? Labels{0, 1} : i < 10 ? Labels{0} : Labels{});
    logits.push_back(logit(i < 10 ? 0.3 : 0.1));
    logits.push_back(logit(i == 0 ? 0.9 : 0.05));
  }
  const auto thresholds = choose_thresholds(logits, targets);
  EXPECT_NEAR(thresholds[0], 0.2, 1e-9);
  EXPECT_NEAR(thresholds[1], 0.2, 1e-9);  // and not 0.475: of all labels together 0.2 is best
  EXPECT_EQ(model::labels_above(std::vector<double>{0.2, 0.1}, std::vector<double>{0.2, 0.2}),
            (Labels{0}));
}

TEST(LabelThresholdsTest, AFileKeepsThem) {
  const testing::TemporaryFolder folder;
  const Words labels = {"a", "b \"c\""};
  const std::vector<double> thresholds = {0.1, 1.0 / 3};
  model::save_thresholds(folder / "t.json", labels, thresholds);
  EXPECT_EQ(model::load_thresholds(folder / "t.json", labels), thresholds);
  EXPECT_MENTIONS(testing::error_of([&] { model::load_thresholds(folder / "t.json", {"a", "d"}); }),
                  "t.json", "'d'");
  EXPECT_MENTIONS(testing::error_of(
                      [&] { model::load_thresholds(folder.write("u.json", "{\"a\": 2}"), {"a"}); }),
                  "u.json", "'a'", "from 0 to 1");
  EXPECT_MENTIONS(
      testing::error_of([&] { model::load_thresholds(folder.write("v.json", "{"), {"a"}); }),
      "v.json", "expected a JSON object");
}

}  // namespace
}  // namespace fastformer::classification
