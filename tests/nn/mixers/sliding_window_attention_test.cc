#include "fastformer/nn/mixers/sliding_window_attention.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "nn/mixers/mixer_check.h"

namespace fastformer::nn {
namespace {

model::EncoderConfig config_of(const SlidingWindowFields& fields) {
  model::EncoderConfig config;
  config.mixer = model::MixerConfig("sliding_window");
  config.mixer.fields<SlidingWindowFields>() = fields;
  config.width = 24;
  config.heads = 2;
  return config;
}

// The masked n x n weights, once for each kind of token.
Definition sliding_window_definition(const model::EncoderConfig& config) {
  return [config](const at::Tensor& x, const ParameterMap& parameters) {
    const auto& fields = config.mixer.fields<SlidingWindowFields>();
    const auto n = x.size(0), reach = fields.window / 2;
    const auto global = std::min(fields.global_tokens, n);
    const auto attend = [&](const std::string& prefix, const at::Tensor& attended) {
      const auto part = [&](const std::string& name) {
        return split_heads(apply_linear(parameters, prefix + name, x), config.heads);
      };
      const auto scale = std::sqrt(static_cast<double>(config.width / config.heads));
      const auto logits = at::matmul(part("query"), part("key").transpose(1, 2)) / scale;
      const auto hidden = attended.logical_not().unsqueeze(0);
      const auto weights =
          at::softmax(logits.masked_fill(hidden, -std::numeric_limits<double>::infinity()), 2);
      return join_heads(at::matmul(weights, part("value")));
    };
    const auto place = at::arange(n);
    const auto near = (place.unsqueeze(1) - place.unsqueeze(0)).abs() <= reach;
    auto y = attend("", near.logical_or((place < global).unsqueeze(0)));
    if (global > 0) {
      const auto all = attend("global_", at::ones({n, n}, at::kBool));
      y = at::cat({all.narrow(0, 0, global), y.narrow(0, global, n - global)});
    }
    return apply_linear(parameters, "output", y);
  };
}

class SlidingWindowMixer : public ::testing::TestWithParam<SlidingWindowFields> {};

TEST_P(SlidingWindowMixer, EqualsTheDefinition) {
  const auto config = config_of(GetParam());
  expect_definition(config, kRaggedLengths, sliding_window_definition(config));
  expect_definition(config, {128, 129, 127, 257}, sliding_window_definition(config));
}

TEST_P(SlidingWindowMixer, RepeatsAndKeepsSequencesApart) {
  expect_repeatable_and_apart(config_of(GetParam()), {70, 3, 0, 300, 1});
}

INSTANTIATE_TEST_SUITE_P(
    Fields, SlidingWindowMixer,
    ::testing::ValuesIn(std::vector<SlidingWindowFields>{
        {0, 0}, {1, 1}, {2, 0}, {7, 3}, {16, 8}, {64, 20}, {1000, 2}, {64, 1000}}));

}  // namespace
}  // namespace fastformer::nn
