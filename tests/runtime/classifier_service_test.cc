#include "fastformer/runtime/classifier_service.h"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fastformer/runtime/explanation_json.h"
#include "runtime/model_folder.h"
#include "support/temporary_folder.h"

namespace fastformer::runtime {
namespace {

using base::Exchange;
using nlohmann::json;

class ClassifierServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_random_classifier(folder_ / "model", small_classifier(), {"a", "b", "c"});
    classifier_ = std::make_shared<Classifier>(Classifier::load(folder_ / "model"));
  }
  std::vector<Exchange> answers(const char* operation, const std::vector<std::string>& bodies) {
    std::vector<Exchange> exchanges(bodies.size());
    std::vector<Exchange*> pointers;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      exchanges[i].body = bodies[i];
      pointers.push_back(&exchanges[i]);
    }
    ClassifierService(classifier_).answer(operation, pointers, {});
    return exchanges;
  }
  // The texts joined with commas, as a list.
  static std::string body_of(const std::vector<std::string>& texts, const std::string& more = "") {
    return R"({"texts":)" + json(texts).dump() + more + "}";
  }

  testing::TemporaryFolder folder_;
  std::shared_ptr<const Classifier> classifier_;
};

TEST_F(ClassifierServiceTest, JoinedRequestsGetTheirOwnAnswers) {
  const auto exchanges = answers(
      "classify", {body_of({kSampleTexts[0], kSampleTexts[1]}), "{}",
                   body_of({kSampleTexts[4]}, R"(,"top_k":2)"),
                   body_of({kSampleTexts[1]}, R"(,"explain":true,"top_k":1)"), body_of({""})});
  const auto result = [&](std::size_t exchange, std::size_t text) {
    return json::parse(exchanges[exchange].answer)["results"][text];
  };
  const auto expect_equal = [&](const json& answer, const std::string& text, std::size_t count) {
    const auto prediction = classifier_->classify(text);
    EXPECT_EQ(answer["label"], prediction.label);
    auto expected = json::array();
    for (const auto& [label, probability] : classifier_->top(prediction, count)) {
      expected.push_back({{"label", label}, {"probability", probability}});
    }
    EXPECT_EQ(answer["probabilities"], expected);
  };
  expect_equal(result(0, 0), kSampleTexts[0], 3);
  expect_equal(result(0, 1), kSampleTexts[1], 3);
  expect_equal(result(2, 0), kSampleTexts[4], 2);
  expect_equal(result(4, 0), "", 3);
  const auto explained = json::parse(explanation_json(*classifier_, kSampleTexts[1]));
  expect_equal(result(3, 0), kSampleTexts[1], 1);
  EXPECT_EQ(result(3, 0)["tokens"], explained["tokens"]);
  EXPECT_EQ(result(3, 0)["ngrams"], explained["ngrams"]);
  EXPECT_MENTIONS(exchanges[1].refusal, "texts is missing");
  EXPECT_TRUE(exchanges[1].answer.empty());
  EXPECT_EQ(exchanges[0].inputs, 2);
  EXPECT_GT(exchanges[0].tokens, 0);
}

TEST_F(ClassifierServiceTest, VectorsAreThoseOfEmbed) {
  const std::vector<std::string> texts = {kSampleTexts[0], "", kSampleTexts[1]};
  const auto exchanges = answers("embed", {body_of({texts[0], texts[1]}), body_of({texts[2]})});
  const auto vectors = classifier_->embed(texts);
  std::size_t row = 0;
  for (const auto& exchange : exchanges) {
    const auto answer = json::parse(exchange.answer);
    for (const auto& numbers : answer["results"]) {
      const auto expected = vectors.row(row++);
      EXPECT_EQ(numbers.get<std::vector<float>>(),
                std::vector<float>(expected.begin(), expected.end()));
    }
  }
  EXPECT_EQ(row, 3U);
}

TEST_F(ClassifierServiceTest, OptionsOfOneOperationAreUnknownToTheOther) {
  EXPECT_MENTIONS(answers("embed", {body_of({"a"}, R"(,"top_k":1)")})[0].refusal, "'top_k'");
  EXPECT_MENTIONS(answers("classify", {body_of({"a"}, R"(,"top_k":0)")})[0].refusal, "top_k is 0");
}

TEST_F(ClassifierServiceTest, LimitsWhatIsExplained) {
  const std::string half(600'000, 'x');
  const auto exchange = answers("classify", {body_of({half, half}, R"(,"explain":true)")})[0];
  EXPECT_TRUE(exchange.too_large);
  EXPECT_MENTIONS(exchange.refusal, "explained", "1200000");
}

TEST_F(ClassifierServiceTest, DescribesTheModel) {
  const auto description = json::parse(ClassifierService(classifier_).description());
  EXPECT_EQ(description["labels"], json({"a", "b", "c"}));
  EXPECT_EQ(description["width"], 12);
}

}  // namespace
}  // namespace fastformer::runtime
