#include <gtest/gtest.h>

#include <cmath>

#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/loss.h"
#include "fastformer/nn/mixers/additive_attention.h"

namespace fastformer::classification {
namespace {

base::ConfigTree tree(std::vector<std::string> assignments) {
  base::ConfigTree result;
  for (const auto& assignment : assignments) result.set(assignment);
  return result;
}

TEST(ModelConfig, APresetIsOverriddenByWhatTheSectionHolds) {
  const auto logits_of = [](const model::EncoderConfig& encoder) {
    return encoder.mixer.fields<model::AdditiveFields>().logits;
  };
  const auto encoder =
      model::ClassifierConfig::read(tree({"model.preset=paper", "model.heads=4"})).text.encoder;
  EXPECT_EQ(logits_of(encoder), model::LogitColumns::kPerHead);
  EXPECT_EQ(encoder.heads, 4);
  EXPECT_FALSE(encoder.residual);
  EXPECT_EQ(logits_of(model::ClassifierConfig::read(tree({})).text.encoder),
            model::LogitColumns::kFull);
}

TEST(ModelConfig, RefusesHeadsThatDoNotDivideTheWidth) {
  EXPECT_THROW(model::ClassifierConfig::read(tree({"model.width=10", "model.heads=3"})),
               std::invalid_argument);
  EXPECT_THROW(model::ClassifierConfig::read(tree({"model.preset=papper"})), std::invalid_argument);
  EXPECT_THROW(model::ClassifierConfig::read(tree({"model.sharing=[\"layer\"]"})),
               std::invalid_argument);
}

TEST(ModelConfig, PositionsLimitDocuments) {
  model::TextEncoderConfig config;
  config.max_positions = 100;
  EXPECT_EQ(config.token_limit(0), 100);
  EXPECT_EQ(config.token_limit(50), 50);
  EXPECT_EQ(config.token_limit(500), 100);
  config.max_positions = 0;
  EXPECT_EQ(config.token_limit(500), 500);
}

TEST(ClassificationLoss, EqualsTheDefinition) {
  const auto logits = at::tensor({1.0, 2.0, 0.5, 0.0}, at::kDouble).view({2, 2});
  const std::vector<std::int64_t> counts = {3, 1};
  const std::vector<std::int32_t> labels = {0, 1};
  const auto nll = [](double own, double other) { return std::log1p(std::exp(other - own)); };
  const ClassificationLoss plain({}, counts);
  EXPECT_NEAR(plain.forward(logits, labels).item<double>(), (nll(1, 2) + nll(0, 0.5)) / 2, 1e-12);
  // Weights 4 / (2 * 3) and 4 / (2 * 1).
  const ClassificationLoss weighted({.class_weights = ClassWeights::kBalanced}, counts);
  const double w0 = 4.0 / 6, w1 = 2;
  EXPECT_NEAR(weighted.forward(logits, labels).item<double>(),
              (w0 * nll(1, 2) + w1 * nll(0, 0.5)) / (w0 + w1), 1e-12);
  const ClassificationLoss adjusted({.prior_adjustment = 1}, counts);
  const double p0 = std::log(0.75), p1 = std::log(0.25);
  EXPECT_NEAR(adjusted.forward(logits, labels).item<double>(),
              (nll(1 + p0, 2 + p1) + nll(p1, 0.5 + p0)) / 2, 1e-12);
  const ClassificationLoss smooth({.label_smoothing = 0.2}, counts);
  EXPECT_NEAR(smooth.forward(logits, labels).item<double>(),
              (0.9 * nll(1, 2) + 0.1 * nll(2, 1) + 0.9 * nll(0, 0.5) + 0.1 * nll(0.5, 0)) / 2,
              1e-12);
  EXPECT_THROW(ClassificationLoss({}, {}), std::invalid_argument);
}

}  // namespace
}  // namespace fastformer::classification
