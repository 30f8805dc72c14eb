#include "fastformer/nn/mixers/softmax_attention.h"

#include <gtest/gtest.h>

#include "nn/mixers/mixer_check.h"

namespace fastformer::nn {
namespace {

model::EncoderConfig config_of(bool causal, std::int64_t heads = 2) {
  model::EncoderConfig config;
  config.mixer = model::MixerConfig("softmax");
  config.mixer.fields<SoftmaxFields>().causal = causal;
  config.width = 24;
  config.heads = heads;
  return config;
}

// All weights at once, by LibTorch's own attention.
Definition softmax_definition(const model::EncoderConfig& config) {
  return [config](const at::Tensor& x, const ParameterMap& parameters) {
    if (x.size(0) == 0) return x * parameters.at("query.weight").sum() * 0;
    const auto part = [&](const std::string& name) {
      return split_heads(apply_linear(parameters, name, x), config.heads).unsqueeze(0);
    };
    const auto y = at::scaled_dot_product_attention(part("query"), part("key"), part("value"), {},
                                                    0, config.mixer.fields<SoftmaxFields>().causal);
    const auto joined = join_heads(y.squeeze(0));
    return config.output_projection ? apply_linear(parameters, "output", joined) : joined;
  };
}

class SoftmaxAttentionMixer : public ::testing::TestWithParam<bool> {};

TEST_P(SoftmaxAttentionMixer, EqualsLibTorchsAttention) {
  for (const std::int64_t heads : {1, 2, 8, 24}) {
    const auto config = config_of(GetParam(), heads);
    expect_definition(config, kRaggedLengths, softmax_definition(config));
  }
  auto config = config_of(GetParam());
  config.output_projection = false;
  expect_definition(config, {7, 0, 129}, softmax_definition(config));
}

TEST_P(SoftmaxAttentionMixer, RepeatsAndKeepsSequencesApart) {
  expect_repeatable_and_apart(config_of(GetParam()), {70, 3, 0, 300, 1});
}

INSTANTIATE_TEST_SUITE_P(Causal, SoftmaxAttentionMixer, ::testing::Bool());

}  // namespace
}  // namespace fastformer::nn
