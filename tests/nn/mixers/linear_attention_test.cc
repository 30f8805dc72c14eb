#include "fastformer/nn/mixers/linear_attention.h"

#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <tuple>

#include "nn/mixers/mixer_check.h"

namespace fastformer::nn {
namespace {

model::EncoderConfig config_of(std::int64_t width, std::int64_t heads, bool causal, bool output) {
  model::EncoderConfig config;
  config.mixer = model::MixerConfig("linear");
  config.mixer.fields<LinearFields>().causal = causal;
  config.width = width;
  config.heads = heads;
  config.output_projection = output;
  return config;
}

// The definition with a weight for every pair of tokens.
Definition pairwise(const model::EncoderConfig& config) {
  return [config](const at::Tensor& x, const ParameterMap& parameters) {
    const auto part = [&](const char* name) {
      return split_heads(apply_linear(parameters, name, x), config.heads);
    };
    const auto query = at::elu(part("query")) + 1, key = at::elu(part("key")) + 1;
    auto weights = at::matmul(query, key.transpose(1, 2));  // [h, n, n]
    if (config.mixer.fields<LinearFields>().causal) weights = weights.tril();
    const auto sums = weights.sum(2, /*keepdim=*/true) + 1e-6;
    const auto y = join_heads(at::matmul(weights, part("value")) / sums);
    return config.output_projection ? apply_linear(parameters, "output", y) : y;
  };
}

// The same by the state of the sequence, or of each of its beginnings.
Definition stateful(const model::EncoderConfig& config) {
  return [config](const at::Tensor& x, const ParameterMap& parameters) {
    const auto part = [&](const char* name) {
      return split_heads(apply_linear(parameters, name, x), config.heads);
    };
    const bool causal = config.mixer.fields<LinearFields>().causal;
    const auto query = at::elu(part("query")) + 1, key = at::elu(part("key")) + 1;
    const auto products = key.unsqueeze(3) * part("value").unsqueeze(2);  // [h, n, e, e]
    const auto states = causal ? products.cumsum(1) : products.sum(1, /*keepdim=*/true);
    const auto sums = causal ? key.cumsum(1) : key.sum(1, /*keepdim=*/true);
    const auto numerators = at::matmul(query.unsqueeze(2), states).squeeze(2);
    const auto y = join_heads(numerators / ((query * sums).sum(2, /*keepdim=*/true) + 1e-6));
    return config.output_projection ? apply_linear(parameters, "output", y) : y;
  };
}

class LinearAttentionMixer : public ::testing::TestWithParam<std::tuple<bool, bool>> {};

TEST_P(LinearAttentionMixer, EqualsTheDefinition) {
  const auto& [causal, output] = GetParam();
  for (const auto& [width, heads] : {std::pair{64, 4}, {30, 5}, {24, 1}, {8, 4}}) {
    const auto config = config_of(width, heads, causal, output);
    expect_definition(config, kRaggedLengths, pairwise(config));
  }
  const auto config = config_of(32, 2, causal, output);
  expect_definition(config, kRaggedLengths, stateful(config));
}

TEST_P(LinearAttentionMixer, CutsLongSequencesWithoutATrace) {
  const auto& [causal, output] = GetParam();
  const auto config = config_of(16, 2, causal, output);
  expect_definition(config, {3, 1300, 0, 512, 513, 40, 1025}, pairwise(config));
}

TEST_P(LinearAttentionMixer, RepeatsAndKeepsSequencesApart) {
  const auto& [causal, output] = GetParam();
  expect_repeatable_and_apart(config_of(32, 2, causal, output), kRaggedLengths);
  expect_repeatable_and_apart(config_of(32, 2, causal, output), {600, 5, 1500});
}

INSTANTIATE_TEST_SUITE_P(All, LinearAttentionMixer,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool()));

TEST(LinearAttentionMixer, AnEmptyBatchGivesNoRows) {
  for (const bool causal : {false, true}) {
    for (const auto& lengths : {Lengths{}, Lengths{0, 0}}) {
      const auto result = MixerCase(config_of(16, 2, causal, true), lengths, at::kFloat).run();
      EXPECT_EQ(result.y.sizes(), at::IntArrayRef({0, 16}));
      EXPECT_EQ(result.gradients.at("x").sizes(), at::IntArrayRef({0, 16}));
    }
  }
}

TEST(LinearAttentionMixer, WorksWithoutGradients) {
  const MixerCase test(config_of(32, 2, false, true), kRaggedLengths, at::kFloat);
  const auto expected = test.run().y;
  const c10::InferenceMode inference;
  EXPECT_TRUE(at::equal(test.forward(test.x), expected));
}

TEST(LinearAttentionMixer, RefusesRowsThatAreNotThoseOfTheOffsets) {
  const MixerCase test(config_of(16, 2, false, true), {3, 4}, at::kFloat);
  EXPECT_THROW(test.forward(at::zeros({8, 16})), c10::Error);
  EXPECT_THROW(test.forward(at::zeros({7, 15})), c10::Error);
  EXPECT_THROW(test.forward(at::zeros({7, 16}, at::kDouble)), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
