#include "fastformer/classification/classifier.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <numeric>
#include <thread>

#include "fastformer/base/atomic_file.h"
#include "fastformer/classification/authors_names.h"
#include "fastformer/classification/classifier_model.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/text/tokenizer.h"
#include "support/temporary_folder.h"

namespace fastformer::classification {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<text::Tokenizer> small_tokenizer() {
  text::TokenizerConfig config;
  config.minimum_count = 1;
  return text::make_tokenizer(config, [](const auto& use) {
    use("oil prices fall");
    use("the team wins the cup");
  });
}

model::ClassifierConfig small_config() {
  model::ClassifierConfig config;
  config.text.encoder.width = 8;
  config.text.encoder.heads = 2;
  config.text.encoder.ffn_width = 8;
  config.text.max_positions = 6;
  config.text.initial_deviation = 0.5;
  return config;
}

class ClassifierTest : public ::testing::Test {
 protected:
  void SetUp() override { save({"market", "sport"}, /*seed=*/1); }
  void save(const std::vector<std::string>& labels, std::uint64_t seed) const {
    const auto tokenizer = small_tokenizer();
    const ClassifierModel model(small_config(), tokenizer->vocabulary_size(), std::ssize(labels),
                                seed);
    const DataConfig data_config{.text_columns = {"text"}};
    save_classifier(directory(),
                    {labels, /*max_tokens=*/0, data_config, *tokenizer, model,
                     /*linear=*/std::nullopt},
                    "# Card\n");
  }
  fs::path directory() const { return folder_.path() / "model"; }

  std::string refusal() const {
    try {
      Classifier::load(directory());
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  }
  void replace(const char* file, const std::string& from, const std::string& to) const {
    auto text = base::read_file(directory() / file);
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos);
    base::write_file_atomically(directory() / file, text.replace(at, from.size(), to));
  }

  testing::TemporaryFolder folder_;
};

TEST_F(ClassifierTest, GivesProbabilitiesThatSumToOne) {
  const auto classifier = Classifier::load(directory());
  const auto prediction = classifier.classify("oil prices");
  EXPECT_NEAR(prediction.probabilities[0] + prediction.probabilities[1], 1, 1e-12);
  EXPECT_EQ(prediction.label,
            classifier.labels()[prediction.probabilities[1] > prediction.probabilities[0]]);
}

TEST_F(ClassifierTest, ABatchGivesWhatSingleTextsGive) {
  const auto classifier = Classifier::load(directory());
  const std::vector<std::string> texts = {"oil prices fall", "", "the cup", "unseen words only"};
  const auto together = classifier.classify(texts);
  ASSERT_EQ(together.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto alone = classifier.classify(texts[i]);
    EXPECT_NEAR(alone.probabilities[0], together[i].probabilities[0], 1e-6) << texts[i];
  }
  EXPECT_TRUE(classifier.classify(std::vector<std::string>{}).empty());
}

TEST_F(ClassifierTest, ExplanationWeightsSumToOne) {
  const auto explanation = Classifier::load(directory()).explain("the team wins the cup");
  const auto sum = [](const auto& v) { return std::accumulate(v.begin(), v.end(), 0.0); };
  ASSERT_EQ(explanation.tokens.size(), 5u);
  EXPECT_NEAR(sum(explanation.pooling_weights), 1, 1e-6);
  ASSERT_EQ(explanation.layers.size(), 2u);
  EXPECT_NEAR(sum(explanation.layers[1].query_weights), 1, 1e-6);
  EXPECT_NEAR(sum(explanation.layers[1].key_weights), 1, 1e-6);
}

TEST_F(ClassifierTest, CutsDocumentsAtThePositions) {
  const auto classifier = Classifier::load(directory());
  EXPECT_EQ(classifier.explain("oil oil oil oil oil oil oil oil").tokens.size(), 6u);
}

TEST_F(ClassifierTest, ThreadsShareOneModel) {
  const auto classifier = Classifier::load(directory());
  const auto expected = classifier.classify("oil prices").probabilities;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) {
        EXPECT_EQ(classifier.classify("oil prices").probabilities, expected);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_F(ClassifierTest, RefusesAMissingDirectory) {
  fs::remove_all(directory());
  EXPECT_NE(refusal().find("is not a model directory"), std::string::npos);
}

TEST_F(ClassifierTest, RefusesAModelOfAnotherVersion) {
  replace("config.json", "\"version\": 2", "\"version\": 9");
  EXPECT_NE(refusal().find("version 9"), std::string::npos) << refusal();
}

TEST_F(ClassifierTest, RefusesAConfigurationThatIsNone) {
  base::write_file_atomically(directory() / "config.json", std::string("{}"));
  EXPECT_NE(refusal().find("config.json"), std::string::npos) << refusal();
}

TEST_F(ClassifierTest, RefusesATruncatedWeightsFile) {
  fs::resize_file(directory() / "model.safetensors", 200);
  EXPECT_NE(refusal().find("model.safetensors"), std::string::npos) << refusal();
}

TEST_F(ClassifierTest, RefusesWeightsOfAnotherTypeShapeOrName) {
  const auto path = directory() / "model.safetensors";
  const auto good = nn::load_tensors(path).tensors;
  auto wrong = good;
  wrong["classifier.bias"] = wrong["classifier.bias"].to(at::kDouble);
  nn::save_tensors(path, wrong);
  EXPECT_NE(refusal().find("the model expects"), std::string::npos) << refusal();
  wrong = good;
  wrong["classifier.bias"] = at::zeros({3});
  nn::save_tensors(path, wrong);
  EXPECT_NE(refusal().find("has the shape [3]"), std::string::npos) << refusal();
  wrong = good;
  wrong.erase("classifier.bias");
  nn::save_tensors(path, wrong);
  EXPECT_NE(refusal().find("is missing"), std::string::npos) << refusal();
  wrong = good;
  wrong["clasifier.bias"] = at::zeros({2});
  nn::save_tensors(path, wrong);
  EXPECT_NE(refusal().find("did you mean 'classifier.bias'"), std::string::npos) << refusal();
}

TEST_F(ClassifierTest, AuthorsNamesGoBothWays) {
  const auto content = ClassifierContent::load(directory());
  const auto& ours = content.model->parameters();
  const auto theirs = to_authors_names(ours);
  EXPECT_TRUE(theirs.contains("fastformer_model.encoders.1.attention.self.query_att.weight"));
  EXPECT_TRUE(theirs.contains("word_embedding.weight"));
  const auto back = from_authors_names(theirs);
  ASSERT_EQ(back.size(), ours.size());
  for (const auto& [name, tensor] : ours) EXPECT_TRUE(at::equal(back.at(name), tensor)) << name;
  EXPECT_THROW(to_authors_names({{"embedding.bigram.weight", at::zeros({1})}}),
               std::invalid_argument);
}

TEST_F(ClassifierTest, TheConfigurationAloneAllocatesNothing) {
  // A matrix of this width would need 4 GB.
  replace("config.json", "\"width\": 8", "\"width\": 32768");
  EXPECT_MENTIONS(refusal(), "the model expects", "32768");
}

TEST_F(ClassifierTest, RefusesWeightsThatAreNotFinite) {
  const auto path = directory() / "model.safetensors";
  auto tensors = nn::load_tensors(path).tensors;
  tensors["classifier.bias"][0] = std::numeric_limits<float>::quiet_NaN();
  nn::save_tensors(path, tensors);
  EXPECT_MENTIONS(refusal(), "'classifier.bias'", "not finite");
}

TEST_F(ClassifierTest, RefusesLabelsThatCannotBeToldApart) {
  for (const std::vector<std::string>& labels :
       {std::vector<std::string>{"a", "a"}, {"a", ""}, {"a", "b\tc"}, {"a", "\x1b[2J"}}) {
    save(labels, /*seed=*/1);
    EXPECT_MENTIONS(refusal(), "config.json", "labels");
  }
}

TEST_F(ClassifierTest, SavingAgainReplacesTheModel) {
  save({"a", "b", "c"}, /*seed=*/2);
  EXPECT_EQ(Classifier::load(directory()).labels().size(), 3u);
  EXPECT_FALSE(fs::exists(directory().string() + ".old"));
  EXPECT_FALSE(fs::exists(directory().string() + ".new"));
}

}  // namespace
}  // namespace fastformer::classification
