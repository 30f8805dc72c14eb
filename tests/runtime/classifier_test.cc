#include "fastformer/runtime/classifier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/linear/linear_part.h"
#include "fastformer/runtime/explanation_json.h"
#include "runtime/model_folder.h"
#include "support/temporary_folder.h"

namespace fastformer::runtime {
namespace {

class RuntimeClassifier : public ::testing::Test {
 protected:
  void SetUp() override { write_random_classifier(directory_, small_classifier(), {"a", "b"}); }
  std::string refusal(const Options& options = {}) const {
    return testing::error_of([&] { Classifier::load(directory_, options); });
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path directory_ = folder_ / "model";
};

TEST_F(RuntimeClassifier, OnePredictionPerTextWhateverTheBatches) {
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back(kSampleTexts[i % 5] + std::string(i % 7, ' '));
  texts.emplace_back(5000, 'x');
  texts.push_back(std::string(20'000, ' ') + "oil");
  for (int i = 0; i < 400; ++i) texts.emplace_back();
  const auto one_by_one = Classifier::load(directory_, {.threads = 1});
  for (const std::int64_t tokens : {1, 50, 16'384}) {
    const auto classifier =
        Classifier::load(directory_, {.threads = 3, .max_batch_tokens = tokens});
    const auto predictions = classifier.classify(std::span(texts));
    ASSERT_EQ(predictions.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); i += 13) {
      EXPECT_EQ(predictions[i].probabilities, one_by_one.classify(texts[i]).probabilities) << i;
    }
    EXPECT_EQ(classifier.embed(std::span(texts)).rows(), texts.size());
  }
  EXPECT_TRUE(one_by_one.classify(std::span<const std::string>()).empty());
}

// The scores of the linear members belong to the texts of their batch, whatever its pieces.
TEST_F(RuntimeClassifier, LinearMembersScoreTheirOwnText) {
  const text::TokenizerConfig config;
  const linear::NgramConfig ngrams{.words = 2, .characters = 4};
  auto table = linear::NgramTable::learn(ngrams, config, [](const auto& use) {
    for (const auto& text : kSampleTexts) use(text), use(text);
  });
  std::vector<linear::LinearMember> members;
  for (const auto weighting : {linear::Weighting::kTfidf, linear::Weighting::kNaiveBayes}) {
    linear::LinearMember member{.config = {.weighting = weighting}, .classes = 2};
    for (std::int64_t i = 0; i < table.size(); ++i) {
      member.scale.push_back(1);
      member.weights.push_back(linear::to_bfloat16(static_cast<float>(i % 7) / 3));
      member.weights.push_back(linear::to_bfloat16(static_cast<float>(i % 5) / 2));
    }
    member.bias = {0.25F, -0.5F};
    members.push_back(std::move(member));
  }
  linear::LinearPart::with_equal_weights(
      std::make_shared<linear::LinearModel>(std::move(table), std::move(members),
                                            std::vector<linear::Calibration>(2)))
      .save(directory_ / linear::kLinearFile);
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back(kSampleTexts[i % 5] + " " + std::to_string(i % 3));
  const auto one_by_one = Classifier::load(directory_, {.threads = 1});
  for (const std::int64_t tokens : {1, 50, 16'384}) {
    const auto classifier =
        Classifier::load(directory_, {.threads = 3, .max_batch_tokens = tokens});
    const auto predictions = classifier.classify(std::span(texts));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ(predictions[i].probabilities, one_by_one.classify(texts[i]).probabilities) << i;
    }
  }
  const auto explained = one_by_one.explain(texts[1]);
  EXPECT_EQ(explained.prediction.probabilities, one_by_one.classify(texts[1]).probabilities);
  EXPECT_FALSE(explained.ngrams.empty());
  EXPECT_THROW(one_by_one.frame().predict(std::vector<double>{0, 0}, {}), std::logic_error);
}

TEST_F(RuntimeClassifier, SaysWhatItCannotDo) {
  EXPECT_EQ(refusal(), "");
  EXPECT_MENTIONS(refusal({.max_batch_tokens = 0}), "max_batch_tokens is 0", "at least 1");
  EXPECT_EQ(refusal({.precision = kernels::Precision::kBf16}), "");
  const auto file = directory_ / "config.json";
  const auto config = base::read_file(file);
  const auto with = [&](const std::string& before, const std::string& after) {
    auto changed = config;
    const auto place = changed.find(before);
    ASSERT_NE(place, std::string::npos) << before;
    changed.replace(place, before.size(), after);
    base::write_file_atomically(file, changed);
  };
  with("\"name\": \"additive\"", "\"name\": \"linear\"");
  EXPECT_MENTIONS(refusal(), "config.json", "'linear'", "only 'additive'");
  with("\"labels\"", "\"lables\"");
  EXPECT_MENTIONS(refusal(), "config.json", "lables", "labels");
  base::write_file_atomically(file, config);
  std::filesystem::remove(directory_ / "vocab.txt");
  EXPECT_MENTIONS(refusal(), "vocab.txt");
}

// A network whose logits are no numbers.
class Diverged final : public Network {
 public:
  std::int64_t width() const override { return 1; }
  std::vector<double> logits(const TokenRows& texts, const Options& /*options*/,
                             NetworkTrace* /*trace*/) const override {
    return std::vector<double>(2 * texts.size(), std::numeric_limits<double>::quiet_NaN());
  }
  std::vector<float> vectors(const TokenRows& texts, const Options& /*options*/) const override {
    return std::vector<float>(texts.size());
  }
};

TEST_F(RuntimeClassifier, ALogitThatIsNoNumberIsAnError) {
  auto loaded = ClassifierDirectory::load(directory_, [](const auto&) {});
  const Classifier classifier(std::move(loaded.frame), std::make_unique<Diverged>(), {});
  EXPECT_MENTIONS(testing::error_of<std::runtime_error>([&] { classifier.classify("oil"); }),
                  "the model has diverged");
}

TEST_F(RuntimeClassifier, ExplainsANetworkWithoutLayers) {
  auto config = small_classifier();
  config.text.encoder.layers = 0;
  write_random_classifier(folder_ / "flat", config, {"a", "b"});
  const auto classifier = Classifier::load(folder_ / "flat");
  EXPECT_MENTIONS(explanation_json(classifier, "oil"), "\"layers\":[]", "\"token\":\"oil\"");
}

}  // namespace
}  // namespace fastformer::runtime
