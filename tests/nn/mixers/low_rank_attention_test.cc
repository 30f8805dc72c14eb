#include "fastformer/nn/mixers/low_rank_attention.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "nn/mixers/mixer_check.h"

namespace fastformer::nn {
namespace {

model::EncoderConfig config_of(ProjectionSharing sharing, std::int64_t rank,
                               std::int64_t heads = 2) {
  model::EncoderConfig config;
  config.mixer = model::MixerConfig("low_rank");
  config.mixer.fields<LowRankFields>() = {
      .projection = rank, .projection_length = 300, .projection_sharing = sharing};
  config.width = 24;
  config.heads = heads;
  return config;
}

Definition low_rank_definition(const model::EncoderConfig& config) {
  return [config](const at::Tensor& x, const ParameterMap& parameters) {
    const auto n = x.size(0);
    const auto projection = [&](const std::string& own) {
      const auto sharing = config.mixer.fields<LowRankFields>().projection_sharing;
      const auto& weight =
          parameters.at(sharing == ProjectionSharing::kKeyValue ? "length_projection.weight"
                        : sharing == ProjectionSharing::kLayers ? "encoder.length_projection.weight"
                                                                : own + "_projection.weight");
      const auto by_head = sharing == ProjectionSharing::kNone ? weight : weight.unsqueeze(0);
      return by_head.narrow(2, 0, n);  // [h or 1, k, n]
    };
    const auto part = [&](const std::string& name) {
      return split_heads(apply_linear(parameters, name, x), config.heads);
    };
    const auto key = at::matmul(projection("key"), part("key"));  // [h, k, e]
    const auto value = at::matmul(projection("value"), part("value"));
    const auto scale = std::sqrt(static_cast<double>(config.width / config.heads));
    const auto weights = at::softmax(at::matmul(part("query"), key.transpose(1, 2)) / scale, 2);
    const auto y = join_heads(at::matmul(weights, value));
    return config.output_projection ? apply_linear(parameters, "output", y) : y;
  };
}

class LowRankAttentionMixer : public ::testing::TestWithParam<ProjectionSharing> {};

// With few rows the input is projected, with more of them than tokens the keys and values.
TEST_P(LowRankAttentionMixer, EqualsTheDefinition) {
  for (const std::int64_t rank : {2, 5, 16, 70, 130}) {
    const auto config = config_of(GetParam(), rank);
    expect_definition(config, kRaggedLengths, low_rank_definition(config));
  }
  for (const std::int64_t heads : {1, 3, 24}) {
    const auto config = config_of(GetParam(), 4, heads);
    expect_definition(config, {300, 9, 0, 128, 129}, low_rank_definition(config));
  }
}

TEST_P(LowRankAttentionMixer, ManySequencesAndWideRows) {
  auto config = config_of(GetParam(), 8, 4);
  config.width = 160;
  config.mixer.fields<LowRankFields>().projection_length = 700;
  config.output_projection = false;
  Lengths lengths(40, 33);
  lengths.push_back(690);
  expect_definition(config, lengths, low_rank_definition(config));
}

TEST_P(LowRankAttentionMixer, RepeatsAndKeepsSequencesApart) {
  expect_repeatable_and_apart(config_of(GetParam(), 8), kRaggedLengths);
}

TEST_P(LowRankAttentionMixer, AnEmptyBatchGivesNoRows) {
  for (const auto& lengths : {Lengths{}, Lengths{0, 0}}) {
    const auto result = MixerCase(config_of(GetParam(), 8), lengths, at::kFloat).run();
    EXPECT_EQ(result.y.sizes(), at::IntArrayRef({0, 24}));
    EXPECT_EQ(result.gradients.at("x").sizes(), at::IntArrayRef({0, 24}));
  }
}

INSTANTIATE_TEST_SUITE_P(All, LowRankAttentionMixer,
                         ::testing::Values(ProjectionSharing::kNone, ProjectionSharing::kHeads,
                                           ProjectionSharing::kKeyValue,
                                           ProjectionSharing::kLayers));

TEST(LowRankAttentionMixer, RefusesLongerSequencesThanItsProjections) {
  const MixerCase test(config_of(ProjectionSharing::kHeads, 8), {2, 300}, at::kFloat);
  test.forward(test.x);
  const std::vector<std::int64_t> offsets = {0, 1, 302};
  try {
    test.mixer->forward(test.x, Offsets(offsets), nullptr);
    FAIL();
  } catch (const std::invalid_argument& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("301 tokens"), std::string::npos) << message;
    EXPECT_NE(message.find("mixer.projection_length = 300"), std::string::npos) << message;
  }
}

TEST(LowRankAttentionMixer, NamesItsProjectionsByWhatSharesThem) {
  using Sharing = ProjectionSharing;
  const auto names = [](Sharing sharing, const std::string& name) {
    ParameterStore store(1);
    const auto config = config_of(sharing, 8);
    make_mixer(config.mixer, config.mixer_shape(), store, name);
    return store.parameters();
  };
  const std::string name = "encoder.layers.3.attention";
  const Lengths by_head = {2, 8, 300}, shared = {8, 300};
  EXPECT_EQ(names(Sharing::kNone, name).at(name + ".value_projection.weight").sizes(), by_head);
  EXPECT_EQ(names(Sharing::kHeads, name).at(name + ".key_projection.weight").sizes(), shared);
  EXPECT_EQ(names(Sharing::kKeyValue, name).at(name + ".length_projection.weight").sizes(), shared);
  EXPECT_EQ(names(Sharing::kLayers, name).at("encoder.length_projection.weight").sizes(), shared);
  EXPECT_EQ(names(Sharing::kLayers, "alone").at("alone.length_projection.weight").sizes(), shared);
}

TEST(LowRankAttentionMixer, LayersShareOneProjection) {
  ParameterStore store(1);
  const auto config = config_of(ProjectionSharing::kLayers, 8);
  const auto first =
      make_mixer(config.mixer, config.mixer_shape(), store, "encoder.layers.0.attention");
  const auto count = store.parameters().size();
  const auto second =
      make_mixer(config.mixer, config.mixer_shape(), store, "encoder.layers.1.attention");
  EXPECT_EQ(store.parameters().size(), 2 * count - 1);
  const auto x = at::randn({7, 24});
  const std::vector<std::int64_t> offsets = {0, 7};
  const auto& projection = store.parameters().at("encoder.length_projection.weight");
  first->forward(x, Offsets(offsets), nullptr).sum().backward();
  const auto alone = projection.grad().clone();
  second->forward(x, Offsets(offsets), nullptr).sum().backward();
  EXPECT_FALSE(at::equal(projection.grad(), alone));
}

}  // namespace
}  // namespace fastformer::nn
