#include "fastformer/nn/additive_attention.h"

#include <gtest/gtest.h>

#include "fastformer/nn/ragged_ops.h"

namespace fastformer::nn {
namespace {

const std::vector<std::int64_t> kOffsets = {0, 3, 3, 4, 11};

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
  const auto y = attention.forward(x, Offsets(kOffsets), nullptr);
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
  const auto together = attention.forward(x, Offsets(kOffsets), nullptr);
  const std::vector<std::int64_t> alone = {0, 7};
  const auto last = attention.forward(x.narrow(0, 4, 7), Offsets(alone), nullptr);
  EXPECT_TRUE(at::allclose(together.narrow(0, 4, 7), last, 1e-10, 1e-12));
}

// Central differences of f at each element of x.
template <class F>
at::Tensor numeric_gradient(const F& f, const at::Tensor& x) {
  constexpr double kStep = 1e-6;
  const auto at_point = x.detach().clone();
  auto gradient = at::zeros_like(at_point);
  auto* value = at_point.mutable_data_ptr<double>();
  auto* out = gradient.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const double before = value[i];
    value[i] = before + kStep;
    const double above = f(at_point).template item<double>();
    value[i] = before - kStep;
    const double below = f(at_point).template item<double>();
    value[i] = before;
    out[i] = (above - below) / (2 * kStep);
  }
  return gradient;
}

template <class F>
void check_gradient(const F& f, const at::Tensor& x) {
  const auto leaf = x.detach().clone().requires_grad_(true);
  f(leaf).backward();
  EXPECT_TRUE(at::allclose(leaf.grad(), numeric_gradient(f, x), 1e-6, 1e-8));
}

at::Tensor weigh(const at::Tensor& x) {
  return (x * at::arange(x.numel(), x.options()).view_as(x).cos()).sum();
}

TEST(RaggedOps, GradientsAgreeWithFiniteDifferences) {
  const Offsets offsets(kOffsets);
  const auto x = at::randn({11, 6}, at::kDouble), logits = at::randn({11, 3}, at::kDouble);
  const auto queries = at::randn({4, 2, 6}, at::kDouble), one = at::randn({1, 2, 6}, at::kDouble);
  check_gradient([&](const auto& v) { return weigh(pool_own_columns(v, logits, offsets).vectors); },
                 x);
  check_gradient([&](const auto& v) { return weigh(pool_own_columns(x, v, offsets).vectors); },
                 logits);
  check_gradient([&](const auto& v) { return weigh(pool_rows(v, queries, offsets).vectors); }, x);
  check_gradient([&](const auto& v) { return weigh(pool_rows(x, v, offsets).vectors); }, queries);
  check_gradient([&](const auto& v) { return weigh(pool_rows(x, v, offsets).vectors); }, one);
  check_gradient([&](const auto& v) { return weigh(expand_rows(v, offsets)); },
                 at::randn({4, 6}, at::kDouble));
}

TEST(RaggedOps, AnEmptySequencePoolsToZero) {
  const Offsets offsets(kOffsets);
  const auto pooled = pool_own_columns(at::randn({11, 6}), at::randn({11, 3}), offsets);
  EXPECT_TRUE(at::equal(pooled.vectors[1], at::zeros({6})));
}

TEST(RaggedOps, RefusesShapesThatDoNotBelongTogether) {
  const Offsets offsets(kOffsets);
  EXPECT_THROW(pool_own_columns(at::randn({10, 6}), at::randn({11, 3}), offsets), c10::Error);
  EXPECT_THROW(pool_own_columns(at::randn({11, 6}), at::randn({11, 4}), offsets), c10::Error);
  EXPECT_THROW(pool_rows(at::randn({11, 6}), at::randn({3, 2, 6}), offsets), c10::Error);
  EXPECT_THROW(expand_rows(at::randn({3, 6}), offsets), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
