#include "fastformer/nn/decoder/decoder.h"

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <vector>

#include "nn/decoder/decoder_definition.h"

namespace fastformer::nn {
namespace {

DecoderConfig config_of(model::Normalization normalization) {
  DecoderConfig config;
  config.layers = 2;
  config.width = 24;
  config.heads = 4;
  config.ffn_width = 40;
  config.normalization = normalization;
  return config;
}

const Lengths kTargets = {5, 1, 9, 0, 3};
const Lengths kDocuments = {12, 0, 1, 4, 140};

at::Tensor rows_of(const Lengths& lengths) {
  return at::randn({offsets_of(lengths).back(), 24}, at::kDouble);
}

class DecoderTest : public ::testing::TestWithParam<model::Normalization> {
 protected:
  DecoderTest() : store_(1, at::kDouble, 0.3), decoder_(config_of(GetParam()), store_, "decoder") {
    at::manual_seed(3);
  }
  at::Tensor definition(const at::Tensor& x, const at::Tensor& memory,
                        at::Tensor* weights = nullptr) const {
    return decoder_definition(store_.parameters(), "decoder", 4, GetParam(), x, memory, weights);
  }
  ParameterStore store_;
  Decoder decoder_;
};

TEST_P(DecoderTest, EqualsItsDefinitionWithGradients) {
  const auto offsets = offsets_of(kTargets), rows = offsets_of(kDocuments);
  const auto x = rows_of(kTargets).requires_grad_(true);
  const auto memory = rows_of(kDocuments).requires_grad_(true);
  std::vector<at::Tensor> inputs = {x, memory}, parts;
  for (const auto& [name, parameter] : store_.parameters()) inputs.push_back(parameter);
  const auto weights = at::randn_like(x);
  const auto gradients = [&](const at::Tensor& y) {
    for (const auto& input : inputs) input.mutable_grad() = at::Tensor();
    (y * weights).sum().backward();
    std::vector<at::Tensor> result;
    for (const auto& input : inputs) result.push_back(input.grad());
    return result;
  };
  const auto y = decoder_.forward(x, Offsets(offsets), memory, Offsets(rows), false);
  for (std::size_t b = 0; b < kTargets.size(); ++b) {
    parts.push_back(
        definition(x.narrow(0, offsets[b], kTargets[b]), memory.narrow(0, rows[b], kDocuments[b])));
  }
  const auto expected = at::cat(parts);
  EXPECT_TRUE(at::allclose(y, expected, 1e-9, 1e-11));
  const auto actual_gradients = gradients(y), expected_gradients = gradients(expected);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_TRUE(at::allclose(actual_gradients[i], expected_gradients[i], 1e-8, 1e-9)) << i;
  }
}

// Hypotheses branch, change places and end while they grow; each must give what its own rows give
// when they are read at once.
TEST_P(DecoderTest, StepsEqualReadingAllAtOnce) {
  const c10::NoGradGuard no_gradients;
  const auto document_offsets = offsets_of(kDocuments);
  const auto memory = rows_of(kDocuments);
  auto state = decoder_.begin(memory, Offsets(document_offsets));
  std::vector<at::Tensor> histories(kDocuments.size(), at::empty({0, 24}, at::kDouble));
  const std::vector<std::vector<std::int64_t>> choices = {
      {0, 0, 1, 2, 3, 3, 4}, {1, 0, 2, 2, 3, 5, 6, 6}, {0, 3, 2, 6, 7}, {0, 1, 1, 3, 4}, {0, 3, 3}};
  for (const auto& parents : choices) {
    const auto x = at::randn({state.hypotheses(), 24}, at::kDouble);
    const auto y = decoder_.step(x, state);
    for (std::int64_t i = 0; i < state.hypotheses(); ++i) {
      histories[i] = at::cat({histories[i], x.narrow(0, i, 1)});
      const auto b = state.documents()[i];
      const std::vector<std::int64_t> offsets = {0, state.length()}, rows = {0, kDocuments[b]};
      const auto all = decoder_.forward(histories[i], Offsets(offsets),
                                        memory.narrow(0, document_offsets[b], kDocuments[b]),
                                        Offsets(rows), false);
      EXPECT_TRUE(at::allclose(y[i], all[-1], 1e-10, 1e-12)) << i << " of " << state.length();
    }
    std::vector<at::Tensor> chosen;
    for (const auto parent : parents) chosen.push_back(histories[parent]);
    histories = chosen;
    state.select(parents);
  }
  EXPECT_EQ(state.documents()[0], 0);
  EXPECT_EQ(state.hypothesis_offsets().length(4), 2);
}

TEST_P(DecoderTest, GivesTheWeightsOfTheDocument) {
  const c10::NoGradGuard no_gradients;
  const auto offsets = offsets_of({5}), rows = offsets_of({12});
  const auto x = rows_of({5}), memory = rows_of({12});
  const auto plain = decoder_.forward(x, Offsets(offsets), memory, Offsets(rows), false);
  at::Tensor weights, expected;
  const auto y = decoder_.forward(x, Offsets(offsets), memory, Offsets(rows), false, &weights);
  EXPECT_TRUE(at::equal(y, plain));
  EXPECT_TRUE(at::allclose(weights.sum(1), at::ones({5}, at::kDouble)));
  definition(x, memory, &expected);
  EXPECT_TRUE(at::allclose(weights, expected.mean(0), 1e-10, 1e-12));
  const auto two = offsets_of({2, 3}), two_rows = offsets_of({6, 6});
  EXPECT_THROW(decoder_.forward(x, Offsets(two), memory, Offsets(two_rows), false, &weights),
               c10::Error);
}

TEST_P(DecoderTest, RefusesParentsOutOfOrder) {
  const auto offsets = offsets_of(kDocuments);
  auto state = decoder_.begin(rows_of(kDocuments), Offsets(offsets));
  EXPECT_THROW(state.select(std::vector<std::int64_t>{1, 0}), c10::Error);
  EXPECT_THROW(state.select(std::vector<std::int64_t>{5}), c10::Error);
  EXPECT_THROW(decoder_.step(at::zeros({2, 24}, at::kDouble), state), c10::Error);
}

INSTANTIATE_TEST_SUITE_P(Normalizations, DecoderTest,
                         ::testing::Values(model::Normalization::kPost, model::Normalization::kPre,
                                           model::Normalization::kNone));

TEST(DecoderDropout, ActsOnlyInTraining) {
  ParameterStore store(1);
  const Decoder decoder(config_of(model::Normalization::kPost), store, "decoder");
  const auto offsets = offsets_of({6});
  const auto x = at::randn({6, 24}), memory = at::randn({6, 24});
  const auto run = [&](bool training) {
    return decoder.forward(x, Offsets(offsets), memory, Offsets(offsets), training);
  };
  EXPECT_TRUE(at::equal(run(false), run(false)));
  EXPECT_FALSE(at::equal(run(true), run(true)));
}

}  // namespace
}  // namespace fastformer::nn
