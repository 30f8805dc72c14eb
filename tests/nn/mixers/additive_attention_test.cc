#include "fastformer/nn/mixers/additive_attention.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <memory>
#include <tuple>
#include <vector>

#include "fastformer/kernels/parallel.h"
#include "nn/mixers/additive_attention_definition.h"
#include "support/gradient_check.h"

namespace fastformer::nn {
namespace {

using testing::check_gradient;
using testing::random;
using testing::weigh;

model::EncoderConfig config_of(const model::AdditiveFields& fields, std::int64_t width = 24) {
  model::EncoderConfig config;
  config.mixer.fields<model::AdditiveFields>() = fields;
  config.width = width;
  config.heads = 3;
  return config;
}

MakeMixer with_form(const model::EncoderConfig& config, AdditiveForm form) {
  return [config, form](ParameterStore& store, const std::string& name) {
    return std::make_unique<AdditiveAttention>(
        config.mixer_shape(), config.mixer.fields<model::AdditiveFields>(), store, name, form);
  };
}

using FormCase = std::tuple<AdditiveForm, model::Interaction, model::LogitColumns>;

class AdditiveForms : public ::testing::TestWithParam<FormCase> {};

// Lengths on both sides of the one from which on a matrix of its own pays for a sequence.
TEST_P(AdditiveForms, EqualTheDefinition) {
  const auto& [form, interaction, logits] = GetParam();
  for (const bool shared : {false, true}) {
    auto config = config_of(model::AdditiveFields{.logits = logits,
                                                  .interaction = interaction,
                                                  .share_query_value = shared,
                                                  .share_heads = shared});
    config.output_projection = !shared;
    expect_definition(with_form(config, form), config.width, kRaggedLengths,
                      additive_definition(config));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, AdditiveForms,
    ::testing::Combine(
        ::testing::Values(AdditiveForm::kAuto, AdditiveForm::kSharedQuery, AdditiveForm::kMerged),
        ::testing::Values(model::Interaction::kProduct, model::Interaction::kAdd,
                          model::Interaction::kConcat),
        ::testing::Values(model::LogitColumns::kFull, model::LogitColumns::kPerHead)));

TEST(AdditiveAttention, RepeatsAndKeepsSequencesApart) {
  expect_repeatable_and_apart(config_of(model::AdditiveFields{}), kRaggedLengths);
}

// There is no mask to get wrong.
TEST(AdditiveAttention, ASequenceAloneGivesWhatItGivesInABatch) {
  const MixerCase test(config_of(model::AdditiveFields{}), {3, 0, 1, 7}, at::kDouble);
  const auto together = test.forward(test.x);
  const Lengths alone = {0, 7};
  const auto last = test.mixer->forward(test.x.narrow(0, 4, 7), Offsets(alone), nullptr);
  EXPECT_TRUE(at::allclose(together.narrow(0, 4, 7), last, 1e-10, 1e-12));
}

TEST(AdditiveAttention, TracesWeightsThatSumToOne) {
  const MixerCase test(config_of(model::AdditiveFields{}), {3, 0, 1, 70}, at::kDouble);
  MixerTrace trace;
  test.mixer->forward(test.x, Offsets(test.offsets), &trace);
  for (const auto& weights : {trace.query_weights, trace.key_weights}) {
    ASSERT_EQ(weights.sizes(), at::IntArrayRef({74, 3}));
    const auto sums = weights.narrow(0, 4, 70).sum(0);
    EXPECT_TRUE(at::allclose(sums, at::ones({3}, at::kDouble)));
  }
}

// bf16 keeps 8 bits: outputs and gradients stay within a few thousandths of fp32, and differ.
TEST(AdditiveAttention, Bf16StaysCloseToFp32) {
  for (const auto form : {AdditiveForm::kSharedQuery, AdditiveForm::kMerged}) {
    const MixerCase test(with_form(config_of(model::AdditiveFields{}, 63), form), 63, {40, 1, 159},
                         at::kFloat);
    const auto exact = test.run();
    Outcome rounded;
    {
      const kernels::ComputeScope scope(kernels::Precision::kBf16);
      rounded = test.run();
    }
    const auto error = [](const at::Tensor& a, const at::Tensor& b) {
      return ((a - b).norm() / a.norm()).item<double>();
    };
    const auto expect_close = [&](const at::Tensor& a, const at::Tensor& b) {
      EXPECT_GT(error(a, b), 1e-6);
      EXPECT_LT(error(a, b), 2e-2);
    };
    expect_close(exact.y, rounded.y);
    for (const auto* name : {"x", "encoder.layers.0.attention.query.weight",
                             "encoder.layers.0.attention.transform.weight"}) {
      expect_close(exact.gradients.at(name), rounded.gradients.at(name));
    }
  }
}

// The backward pass of a rounded forward pass rounds, too, wherever it runs.
TEST(AdditiveAttention, TheBackwardPassRoundsAsItsForwardPassDid) {
  const MixerCase test(config_of(model::AdditiveFields{}), {40, 9}, at::kFloat);
  const auto gradient_of = [&](bool backward_in_scope) {
    const auto x = test.x.detach().clone().requires_grad_(true);
    const auto forward = [&] {
      const kernels::ComputeScope scope(kernels::Precision::kBf16);
      return test.forward(x);
    };
    const auto y = forward();
    const kernels::ComputeScope scope(backward_in_scope ? kernels::Precision::kBf16
                                                        : kernels::Precision::kFp32);
    y.backward(at::ones_like(y));
    return x.grad();
  };
  EXPECT_TRUE(at::equal(gradient_of(true), gradient_of(false)));
}

TEST(KeyQueries, StandForKeysThatAreScaledAndReadByLogits) {
  const auto logits = random({3, 6}), gates = random({4, 6}), weight = random({6, 5});
  const auto x = random({7, 5});
  const auto queries = key_queries(logits, gates, weight);
  for (std::int64_t b = 0; b < 4; ++b) {
    const auto keys = x.matmul(weight.t());
    EXPECT_TRUE(at::allclose(x.matmul(queries[b].t()), (keys * gates[b]).matmul(logits.t())));
  }
}

TEST(KeyQueries, AreTheSameForFactorsThatLieInColumns) {
  const auto logits = random({3, 6}), gates = random({4, 6}), weight = random({6, 5});
  const auto in_columns = [](const at::Tensor& x) {
    return x.detach().t().contiguous().t().requires_grad_();
  };
  const std::vector<at::Tensor> columns{in_columns(logits), in_columns(gates), in_columns(weight)};
  const std::vector<at::Tensor> rows{logits.requires_grad_(), gates.requires_grad_(),
                                     weight.requires_grad_()};
  const auto expected = key_queries(logits, gates, weight);
  const auto actual = key_queries(columns[0], columns[1], columns[2]);
  EXPECT_TRUE(at::equal(actual, expected));
  const auto expected_gradients = torch::autograd::grad({weigh(expected)}, rows);
  const auto gradients = torch::autograd::grad({weigh(actual)}, columns);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_TRUE(at::allclose(gradients[i], expected_gradients[i]));
  }
}

TEST(KeyQueries, HaveTheGradientsOfCentralDifferences) {
  for (const std::int64_t sequences : {0, 1, 5}) {
    const auto logits = random({3, 6}), gates = random({sequences, 6}), weight = random({6, 5});
    check_gradient([&](const auto& v) { return weigh(key_queries(v, gates, weight)); }, logits);
    check_gradient([&](const auto& v) { return weigh(key_queries(logits, v, weight)); }, gates);
    check_gradient([&](const auto& v) { return weigh(key_queries(logits, gates, v)); }, weight);
  }
}

TEST(KeyQueries, RefusesShapesAndTypesThatDisagree) {
  const auto logits = random({3, 6}), gates = random({4, 6}), weight = random({6, 5});
  EXPECT_THROW(key_queries(logits, gates, weight.t()), c10::Error);
  EXPECT_THROW(key_queries(logits, random({4, 5}), weight), c10::Error);
  EXPECT_THROW(key_queries(logits, gates.to(at::kFloat), weight), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
