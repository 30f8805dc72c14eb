#include "fastformer/classification/adversarial.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "support/gradient_check.h"

namespace fastformer::classification {
namespace {

using testing::random;

const std::vector<std::int64_t> kOffsets = {0, 3, 3, 5};

TEST(AdversarialChangeTest, HasTheGivenLengthAndTheDirectionOfTheGradientInEachDocument) {
  const auto x = random({5, 4}), gradient = random({5, 4});
  const auto change = adversarial_change(x, gradient, nn::Offsets(kOffsets), 0.3);
  for (const auto& [first, count] : {std::pair(0, 3), std::pair(3, 2)}) {
    const auto own = change.narrow(0, first, count), g = gradient.narrow(0, first, count);
    EXPECT_NEAR(own.norm().item<double>(), 0.3 * x.narrow(0, first, count).norm().item<double>(),
                1e-12);
    EXPECT_NEAR((own * g).sum().item<double>(), own.norm().item<double>() * g.norm().item<double>(),
                1e-12);
  }
}

TEST(AdversarialChangeTest, IsZeroWithoutAGradient) {
  const auto x = random({5, 4});
  const auto change = adversarial_change(x, at::zeros_like(x), nn::Offsets(kOffsets), 0.3);
  EXPECT_EQ(change.abs().max().item<double>(), 0);
}

class AdversarialBackwardTest : public ::testing::Test {
 protected:
  static model::ClassifierConfig config() {
    model::ClassifierConfig config;
    auto& encoder = config.text.encoder;
    encoder.width = encoder.ffn_width = 8;
    encoder.heads = 2;
    encoder.layers = 1;
    encoder.dropout = config.text.embedding_dropout = 0;
    config.text.bigram_buckets = 16;
    config.text.max_positions = 8;
    config.text.initial_deviation = config.text.embedding_deviation = 0.5;
    return config;
  }
  // Zeros for a parameter that the loss does not depend on, such as a constant added to all logits.
  static at::Tensor gradient_of(const at::Tensor& weight) {
    return weight.grad().defined() ? weight.grad().to_dense().clone() : at::zeros_like(weight);
  }
  static at::Tensor loss(const at::Tensor& logits) {
    return at::cross_entropy_loss(logits, at::tensor({2, 0, 1}, at::kLong));
  }

  const ClassifierModel model_{config(), /*vocabulary_size=*/10, /*classes=*/3, /*seed=*/5,
                               at::kDouble};
  const data::TokenBatch texts_{.ids = {1, 2, 3, 4, 9, 3}, .offsets = {0, 3, 4, 6}};
};

TEST_F(AdversarialBackwardTest, OfSizeZeroIsTheLossAndItsGradient) {
  const auto value = adversarial_backward(model_, texts_, 0, loss);
  std::map<std::string, at::Tensor> found;
  for (const auto& [name, weight] : model_.parameters()) {
    found[name] = gradient_of(weight);
    weight.mutable_grad().reset();
  }
  const auto expected = loss(model_.forward(texts_, /*training=*/true));
  expected.backward();
  EXPECT_NEAR(value, expected.item<double>(), 1e-12);
  for (const auto& [name, weight] : model_.parameters()) {
    EXPECT_TRUE(at::allclose(found[name], gradient_of(weight), 1e-9, 1e-12)) << name;
  }
}

// The change is a constant, computed apart from the function under test.
TEST_F(AdversarialBackwardTest, GradientsAreThoseOfTheMeanOfBothLosses) {
  constexpr double kSize = 0.2;
  const auto leaf = model_.token_vectors(texts_, /*training=*/true).rows.detach().requires_grad_();
  const auto plain = loss(model_.forward({leaf, texts_.offsets}, /*training=*/true));
  plain.backward();
  for (const auto& [name, weight] : model_.parameters()) weight.mutable_grad().reset();
  const auto change =
      adversarial_change(leaf.detach(), leaf.grad(), nn::Offsets(texts_.offsets), kSize);

  const auto value = adversarial_backward(model_, texts_, kSize, loss);
  EXPECT_GT(value, plain.item<double>());  // the change raises the loss
  const auto mean_of_both = [&] {
    const at::NoGradGuard no_gradient;
    const auto x = model_.token_vectors(texts_, /*training=*/true).rows;
    const auto changed = loss(model_.forward({x + change, texts_.offsets}, /*training=*/true));
    return (loss(model_.forward({x, texts_.offsets}, /*training=*/true)) + changed) / 2;
  };
  EXPECT_NEAR(value, mean_of_both().item<double>(), 1e-12);
  for (const auto& [name, weight] : model_.parameters()) {
    const auto before = weight.detach().clone();
    const auto numeric = testing::numeric_gradient(
        [&](const at::Tensor& other) {
          const at::NoGradGuard no_gradient;
          weight.copy_(other);
          return mean_of_both();
        },
        before);
    const at::NoGradGuard no_gradient;
    weight.copy_(before);
    EXPECT_TRUE(at::allclose(gradient_of(weight), numeric, 1e-5, 1e-8)) << name;
  }
}

}  // namespace
}  // namespace fastformer::classification
