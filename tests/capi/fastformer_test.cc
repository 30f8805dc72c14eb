#include "fastformer/capi/fastformer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/runtime/classifier.h"
#include "runtime/model_folder.h"
#include "support/temporary_folder.h"

namespace fastformer {
namespace {

std::vector<fastformer_text> views_of(const std::vector<std::string>& texts) {
  std::vector<fastformer_text> views;
  for (const auto& text : texts) views.push_back({text.data(), text.size()});
  return views;
}

class CInterface : public ::testing::Test {
 protected:
  void SetUp() override {
    runtime::write_random_classifier(directory_, runtime::small_classifier(), {"a", "b", "c"});
    model_ = fastformer_classifier_load(directory_.c_str(), nullptr);
    ASSERT_NE(model_, nullptr) << fastformer_last_error();
  }
  void TearDown() override { fastformer_classifier_free(model_); }

  testing::TemporaryFolder folder_;
  std::filesystem::path directory_ = folder_ / "model";
  fastformer_classifier* model_ = nullptr;
};

TEST_F(CInterface, GivesWhatTheRuntimeGives) {
  EXPECT_STREQ(fastformer_version(), FASTFORMER_VERSION);
  EXPECT_EQ(fastformer_abi_version(), FASTFORMER_ABI_VERSION);
  ASSERT_EQ(fastformer_classifier_label_count(model_), 3u);
  EXPECT_STREQ(fastformer_classifier_label(model_, 2), "c");
  EXPECT_EQ(fastformer_classifier_label(model_, 3), nullptr);
  EXPECT_EQ(fastformer_classifier_multi_label(model_), 0);
  const auto expected = runtime::Classifier::load(directory_);
  const auto texts = views_of(runtime::kSampleTexts);
  std::vector<double> probabilities(3 * texts.size());
  std::vector<std::uint8_t> predicted(3 * texts.size());
  ASSERT_EQ(fastformer_classify(model_, texts.data(), texts.size(), probabilities.data(),
                                predicted.data()),
            FASTFORMER_OK);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto one = expected.classify(runtime::kSampleTexts[i]);
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_EQ(probabilities[3 * i + c], one.probabilities[c]);
      EXPECT_EQ(predicted[3 * i + c], one.label == std::string(1, "abc"[c]) ? 1 : 0);
    }
  }
  const auto width = fastformer_classifier_width(model_);
  ASSERT_EQ(width, 12u);
  std::vector<float> vectors(width * texts.size());
  ASSERT_EQ(fastformer_embed(model_, texts.data(), texts.size(), vectors.data()), FASTFORMER_OK);
  EXPECT_EQ(vectors, expected.embed(std::span(runtime::kSampleTexts)).values);
  EXPECT_EQ(fastformer_classify(model_, nullptr, 0, nullptr, nullptr), FASTFORMER_OK);
}

TEST_F(CInterface, ExplainsAsJson) {
  char* json = nullptr;
  const std::string text = "Oil prices \xFF";
  ASSERT_EQ(fastformer_explain(model_, {text.data(), text.size()}, &json), FASTFORMER_OK);
  const auto explained = nlohmann::json::parse(json);
  fastformer_string_free(json);
  EXPECT_EQ(explained.at("tokens").size(), 3u);
  EXPECT_EQ(explained["tokens"][0].at("token"), "oil");
  EXPECT_EQ(explained["tokens"][0].at("layers").size(), 2u);
  double sum = 0;
  for (const auto& [label, probability] : explained.at("probabilities").items()) {
    sum += probability.get<double>();
  }
  EXPECT_NEAR(sum, 1, 1e-9);
}

TEST_F(CInterface, SaysWhatIsWrong) {
  EXPECT_EQ(fastformer_classifier_load((folder_ / "none").c_str(), nullptr), nullptr);
  EXPECT_MENTIONS(std::string(fastformer_last_error()), "none is not a model directory");
  EXPECT_EQ(fastformer_classifier_load(nullptr, nullptr), nullptr);
  EXPECT_MENTIONS(std::string(fastformer_last_error()), "the model directory is NULL");
  double out[3];
  const fastformer_text missing = {nullptr, 4};
  EXPECT_EQ(fastformer_classify(model_, &missing, 1, out, nullptr), FASTFORMER_INVALID_ARGUMENT);
  EXPECT_MENTIONS(std::string(fastformer_last_error()), "texts[0].data is NULL, but its size is 4");
  EXPECT_EQ(fastformer_classify(nullptr, nullptr, 0, out, nullptr), FASTFORMER_INVALID_ARGUMENT);
  const fastformer_text text = {"a", 1};
  EXPECT_EQ(fastformer_classify(model_, &text, 1, nullptr, nullptr), FASTFORMER_INVALID_ARGUMENT);
  EXPECT_EQ(fastformer_explain(model_, text, nullptr), FASTFORMER_INVALID_ARGUMENT);
  fastformer_options options;
  fastformer_options_init(&options);
  options.threads = -1;
  EXPECT_EQ(fastformer_classifier_load(directory_.c_str(), &options), nullptr);
  EXPECT_MENTIONS(std::string(fastformer_last_error()), "options.threads is -1");
  options.threads = 1;
  options.struct_size = 4;
  EXPECT_EQ(fastformer_classifier_load(directory_.c_str(), &options), nullptr);
  EXPECT_MENTIONS(std::string(fastformer_last_error()), "fastformer_options_init");
}

TEST_F(CInterface, NamesTheProgramForOtherNetworks) {
  const auto file = directory_ / "config.json";
  auto config = base::read_file(file);
  const std::string additive = "\"name\": \"additive\"";
  ASSERT_NE(config.find(additive), std::string::npos);
  config.replace(config.find(additive), additive.size(), "\"name\": \"softmax\"");
  base::write_file_atomically(file, config);
  EXPECT_EQ(fastformer_classifier_load(directory_.c_str(), nullptr), nullptr);
  EXPECT_MENTIONS(std::string(fastformer_last_error()), "'softmax', but the runtime supports only",
                  "use the program fastformer");
}

TEST_F(CInterface, AnyNumberOfThreadsUseOneModel) {
  const auto texts = views_of(runtime::kSampleTexts);
  std::vector<double> expected(3 * texts.size());
  fastformer_classify(model_, texts.data(), texts.size(), expected.data(), nullptr);
  std::vector<std::thread> threads;
  std::vector<int> wrong(16);
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 50; ++round) {
        std::vector<double> found(expected.size());
        fastformer_classify(model_, texts.data(), texts.size(), found.data(), nullptr);
        wrong[i] += found != expected;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(std::accumulate(wrong.begin(), wrong.end(), 0), 0);
}

}  // namespace
}  // namespace fastformer
