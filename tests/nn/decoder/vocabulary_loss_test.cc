#include "fastformer/nn/decoder/vocabulary_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "fastformer/nn/decoder/token_mixture.h"
#include "fastformer/nn/tensor_memory.h"
#include "nn/mixers/mixer_check.h"

namespace fastformer::nn {
namespace {

constexpr std::int64_t kWidth = 6;

std::vector<std::int32_t> random_tokens(std::int64_t count, std::int64_t vocabulary) {
  const auto drawn = at::randint(vocabulary, {count}, at::kInt);
  const auto* first = drawn.const_data_ptr<std::int32_t>();
  return {first, first + count};
}

// A batch with everything that the loss takes; all tensors are leaves.
struct Problem {
  Problem(const Lengths& target_lengths, const Lengths& document_lengths, std::int64_t vocabulary)
      : offsets(offsets_of(target_lengths)),
        document_offsets(offsets_of(document_lengths)),
        targets(random_tokens(offsets.back(), vocabulary)),
        ids(random_tokens(document_offsets.back(), vocabulary)),
        leaves({leaf({offsets.back(), kWidth}), leaf({vocabulary, kWidth}), leaf({vocabulary}),
                leaf({offsets.back(), 1}), leaf({offsets.back(), kWidth}),
                leaf({document_offsets.back(), kWidth})}) {}

  static at::Tensor leaf(at::IntArrayRef sizes) {
    return at::randn(sizes, at::kDouble).requires_grad_(true);
  }
  void to(at::ScalarType type) {
    for (auto& tensor : leaves) tensor = tensor.detach().to(type).requires_grad_(true);
  }

  at::Tensor loss(double smoothing, bool copies) const {
    const CopyInputs copy{leaves[4], leaves[5], leaves[3], ids, Offsets(document_offsets)};
    return vocabulary_loss(leaves[0], leaves[1], leaves[2], targets, Offsets(offsets), smoothing,
                           copies ? &copy : nullptr);
  }

  // The distribution of every row in full, by the definition.
  at::Tensor definition(double smoothing, bool copies) const {
    const auto generated = at::softmax(at::linear(leaves[0], leaves[1], leaves[2]), 1).unbind();
    const auto vocabulary = leaves[1].size(0);
    std::vector<at::Tensor> losses;
    for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
      const auto document = document_offsets[b], n = document_offsets[b + 1] - document;
      for (auto t = offsets[b]; t < offsets[b + 1]; ++t) {
        auto p = generated[t];
        if (copies && n > 0) {
          const auto logits = leaves[5].narrow(0, document, n).mv(leaves[4][t]) / std::sqrt(kWidth);
          const auto places = at::tensor(
              std::vector<std::int32_t>(ids.begin() + document, ids.begin() + document + n));
          const auto copied = at::zeros_like(p).index_add(0, places, at::softmax(logits, 0));
          const auto g = at::sigmoid(leaves[3][t][0]);
          p = g * p + (1 - g) * copied;
        }
        auto q = at::full({vocabulary}, smoothing / static_cast<double>(vocabulary), at::kDouble);
        q[targets[t]] += 1 - smoothing;
        losses.push_back(-(q * p.log()).sum());
      }
    }
    return at::stack(losses).mean();
  }

  std::vector<at::Tensor> gradients(const at::Tensor& loss, double factor) const {
    for (const auto& tensor : leaves) tensor.mutable_grad() = at::Tensor();
    (loss * factor).backward();
    std::vector<at::Tensor> result;
    for (const auto& tensor : leaves) {
      const auto gradient = tensor.grad();
      result.push_back(gradient.defined() ? gradient : at::zeros_like(tensor));
    }
    return result;
  }

  std::vector<std::int64_t> offsets, document_offsets;
  std::vector<std::int32_t> targets, ids;
  std::vector<at::Tensor> leaves;  // x, weight, bias, gate, query, key
};

void expect_definition(const Problem& problem) {
  for (const bool copies : {false, true}) {
    for (const double smoothing : {0.0, 0.1}) {
      const auto actual = problem.loss(smoothing, copies);
      const auto expected = problem.definition(smoothing, copies);
      EXPECT_NEAR(actual.item<double>(), expected.item<double>(), 1e-12);
      const auto of_actual = problem.gradients(actual, 1),
                 twice = problem.gradients(problem.loss(smoothing, copies), 2);
      const auto of_expected = problem.gradients(expected, 1);
      for (std::size_t i = 0; i < of_actual.size(); ++i) {
        EXPECT_TRUE(at::allclose(of_actual[i], of_expected[i], 1e-9, 1e-12))
            << i << " " << smoothing << " " << copies;
        EXPECT_TRUE(at::allclose(twice[i], 2 * of_expected[i], 1e-9, 1e-12)) << i;
      }
    }
  }
}

TEST(VocabularyLoss, EqualsItsDefinitionWithGradients) {
  at::manual_seed(1);
  expect_definition(Problem({3, 1, 0, 5, 2}, {7, 0, 3, 40, 1}, 13));
}

// A vocabulary so large that a target is cut into blocks of rows.
TEST(VocabularyLoss, EqualsItsDefinitionOverManyBlocks) {
  at::manual_seed(2);
  expect_definition(Problem({9, 2, 14}, {50, 1, 3}, 200'000));
}

TEST(VocabularyLoss, KeepsProbabilitiesThatSingleNumbersCannotHold) {
  at::manual_seed(3);
  Problem problem({4}, {6}, 20);
  problem.leaves[2] = (problem.leaves[2].detach() * 200).requires_grad_(true);
  problem.leaves[3] = (problem.leaves[3].detach() * 200).requires_grad_(true);
  const auto expected = problem.loss(0.1, true).item<double>();
  problem.to(at::kFloat);
  const auto loss = problem.loss(0.1, true);
  EXPECT_NEAR(loss.item<double>() / expected, 1, 1e-5);
  const auto expect_finite = [&](const at::Tensor& value) {
    for (const auto& gradient : problem.gradients(value, 1)) {
      EXPECT_TRUE(at::isfinite(gradient).all().item<bool>());
    }
  };
  expect_finite(loss);
  for (const double factor : {20.0, 35.0, 50.0, 1000.0}) {  // some weights of copying vanish
    problem.leaves[4] = (problem.leaves[4].detach() * factor).requires_grad_(true);
    expect_finite(problem.loss(0.1, true));
  }
}

TEST(VocabularyLoss, NeverHoldsTheLogitsOfAllRows) {
  at::manual_seed(4);
  Problem problem({300, 500}, {40, 7}, 32'000);
  problem.to(at::kFloat);
  const MemoryMeter meter;
  problem.loss(0.1, true).backward();
  const std::int64_t all = 800 * 32'000 * static_cast<std::int64_t>(sizeof(float));
  EXPECT_LT(meter.peak(), all / 2);
}

TEST(VocabularyLoss, OfNoRowsIsZero) {
  const Problem problem({0, 0}, {3, 0}, 5);
  EXPECT_EQ(problem.loss(0.1, true).item<double>(), 0);
}

TEST(VocabularyLoss, RefusesWhatDoesNotFit) {
  Problem problem({2, 1}, {3, 1}, 5);
  problem.targets[0] = 5;
  EXPECT_THROW(problem.loss(0, false), c10::Error);
  problem.targets[0] = 0;
  EXPECT_THROW(problem.loss(1, false), c10::Error);
  problem.ids[1] = -1;
  EXPECT_THROW(problem.loss(0, true), c10::Error);
  problem.ids.pop_back();
  EXPECT_THROW(problem.loss(0, true), c10::Error);
}

TEST(DistinctTokens, SumWeightsOfEqualTokens) {
  const std::vector<std::int32_t> ids = {4, 2, 4, 9, 9};
  const std::vector<std::int64_t> offsets = {0, 3, 3, 5};
  const DistinctTokens tokens(ids, Offsets(offsets));
  const std::vector<double> weights = {1, 2, 4};
  std::vector<double> mass;
  tokens.sum(0, weights.data(), mass);
  EXPECT_EQ(std::vector(tokens.tokens(0).begin(), tokens.tokens(0).end()),
            (std::vector<std::int32_t>{2, 4}));
  EXPECT_EQ(mass, (std::vector<double>{2, 5}));
  EXPECT_TRUE(tokens.tokens(1).empty());
  EXPECT_EQ(tokens.tokens(2).size(), 1U);
}

}  // namespace
}  // namespace fastformer::nn
