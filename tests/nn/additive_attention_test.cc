#include "fastformer/nn/additive_attention.h"

#include <gtest/gtest.h>

namespace fastformer::nn {
namespace {

const std::vector<std::int64_t> kSegmentOffsets = {0, 3, 3, 4, 11};

EncoderConfig config_of(const std::string& interaction, const std::string& logits,
                        const std::string& form) {
  EncoderConfig config;
  config.width = 6;
  config.heads = 3;
  config.interaction = interaction;
  config.logits = logits;
  config.form = form;
  return config;
}

at::Tensor run(const EncoderConfig& config, const at::Tensor& x, ParameterMap* parameters) {
  ParameterStore store(7, at::kDouble, 0.5);
  const AdditiveAttention attention(config, store, "a");
  const auto y = attention.forward(x, Offsets(kSegmentOffsets), nullptr);
  (y * at::arange(y.numel(), y.options()).view_as(y).sin()).sum().backward();
  *parameters = store.parameters();
  return y;
}

// The biases of logits cancel in the softmax: not every form reads them.
at::Tensor gradient_or_zeros(const at::Tensor& weight) {
  return weight.grad().defined() ? weight.grad() : at::zeros_like(weight);
}

class AttentionForms : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(AttentionForms, AllFormsGiveOneResult) {
  const auto& [interaction, logits] = GetParam();
  const auto x = at::randn({11, 6}, at::kDouble);
  ParameterMap expected_parameters, parameters;
  const auto expected = run(config_of(interaction, logits, "direct"), x, &expected_parameters);
  for (const auto* form : {"auto", "shared_query", "merged"}) {
    const auto y = run(config_of(interaction, logits, form), x, &parameters);
    EXPECT_TRUE(at::allclose(y, expected, 1e-10, 1e-12)) << form;
    for (const auto& [name, weight] : parameters) {
      EXPECT_TRUE(at::allclose(gradient_or_zeros(weight),
                               gradient_or_zeros(expected_parameters.at(name)), 1e-9, 1e-11))
          << form << " " << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, AttentionForms,
                         ::testing::Combine(::testing::Values("product", "add", "concat"),
                                            ::testing::Values("full", "per_head")));

// The other sequences of a batch must not matter: there is no mask to get wrong.
TEST(AdditiveAttention, ASequenceAloneGivesWhatItGivesInABatch) {
  ParameterStore store(3, at::kDouble, 0.5);
  const AdditiveAttention attention(config_of("product", "full", "auto"), store, "a");
  const auto x = at::randn({11, 6}, at::kDouble);
  const auto together = attention.forward(x, Offsets(kSegmentOffsets), nullptr);
  const std::vector<std::int64_t> alone = {0, 7};
  const auto last = attention.forward(x.narrow(0, 4, 7), Offsets(alone), nullptr);
  EXPECT_TRUE(at::allclose(together.narrow(0, 4, 7), last, 1e-10, 1e-12));
}

}  // namespace
}  // namespace fastformer::nn
