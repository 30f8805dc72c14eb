// The runtime's network against nn's, which other tests compare with the definition.
#include "fastformer/runtime/additive_network.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "fastformer/classification/torch_network.h"
#include "fastformer/nn/tensor_file.h"
#include "support/temporary_folder.h"

namespace fastformer::classification {
namespace {

constexpr std::int64_t kVocabulary = 50;

class Random {
 public:
  explicit Random(unsigned seed) : generator_(seed) {}

  std::int64_t below(std::int64_t count) {
    return std::uniform_int_distribution<std::int64_t>(0, count - 1)(generator_);
  }
  bool coin() { return below(2) == 1; }
  template <class Value>
  Value one_of(std::vector<Value> values) {
    return values[below(std::ssize(values))];
  }

 private:
  std::mt19937 generator_;
};

model::ClassifierConfig random_config(Random& random) {
  model::ClassifierConfig config;
  auto& encoder = config.text.encoder;
  encoder.heads = random.one_of<std::int64_t>({1, 2, 4, 8});
  encoder.width = encoder.heads * (1 + random.below(9));
  encoder.layers = random.below(4);
  encoder.ffn_width = random.coin() ? 1 + random.below(70) : 0;
  encoder.activation = static_cast<kernels::Activation>(random.below(4));
  encoder.normalization = static_cast<model::Normalization>(random.below(3));
  encoder.residual = random.coin();
  encoder.output_projection = random.coin();
  encoder.share_layers = random.coin();
  auto& fields = encoder.mixer.fields<model::AdditiveFields>();
  fields.logits = static_cast<model::LogitColumns>(random.below(2));
  fields.interaction = static_cast<model::Interaction>(random.below(3));
  fields.share_query_value = random.coin();
  fields.share_heads = random.coin();
  config.text.max_positions = random.coin() ? 1500 : 0;
  config.text.bigram_buckets = random.coin() ? 40 : 0;
  config.text.embedding_normalization = random.coin();
  // Products keep the size of the rows, so that all parts of the network matter.
  config.text.initial_deviation = 1 / std::sqrt(static_cast<double>(encoder.width));
  config.text.embedding_deviation = 0.8;
  config.text.bigram_deviation = 0.5;
  return config;
}

// Texts of the lengths at which the network changes its way of computing, and one without tokens.
struct Texts {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> offsets = {0};
};

Texts random_texts(Random& random) {
  Texts texts;
  std::vector<std::int64_t> lengths = {0, 1, 2, 5, 6, 7, 40, 130};
  for (int i = 0; i < 6; ++i) lengths.push_back(random.below(30));
  if (random.below(4) == 0) lengths.push_back(1300);
  std::rotate(lengths.begin(), lengths.begin() + random.below(std::ssize(lengths)), lengths.end());
  for (const auto length : lengths) {
    for (std::int64_t i = 0; i < length; ++i) {
      texts.ids.push_back(static_cast<std::int32_t>(random.below(kVocabulary)));
    }
    texts.offsets.push_back(std::ssize(texts.ids));
  }
  return texts;
}

double largest(const std::vector<double>& values) {
  double most = 1;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected,
                 double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  const double scale = largest(expected);
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i], tolerance * scale) << i;
  }
}

class AdditiveNetworkSlow : public ::testing::TestWithParam<int> {
 protected:
  testing::TemporaryFolder folder_;
};

TEST_P(AdditiveNetworkSlow, ComputesWhatLibTorchComputes) {
  Random random(static_cast<unsigned>(GetParam()));
  for (int i = 0; i < 25; ++i) {
    const auto config = random_config(random);
    const std::int64_t classes = 2 + random.below(5);
    auto torch = std::make_unique<ClassifierModel>(config, kVocabulary, classes, /*seed=*/i);
    {
      // Biases begin at zero and scales at one, where mistakes do not show.
      const c10::NoGradGuard no_gradients;
      at::manual_seed(static_cast<std::uint64_t>(i));
      for (const auto& [name, parameter] : torch->parameters()) {
        if (parameter.dim() == 1) parameter.add_(at::randn_like(parameter) * 0.3);
      }
    }
    const auto file = folder_ / "model.safetensors";
    nn::save_tensors(file, torch->parameters());
    const runtime::AdditiveNetwork network(config, kVocabulary, classes, file);
    const TorchNetwork reference(std::move(torch));

    const auto texts = random_texts(random);
    const runtime::TokenRows rows{texts.ids, texts.offsets};
    const auto logits = network.logits(rows, {}, nullptr);
    SCOPED_TRACE("configuration " + std::to_string(i));
    expect_near(logits, reference.logits(rows, {}, nullptr), 1e-5);
    EXPECT_EQ(logits, network.logits(rows, {.threads = 1}, nullptr));

    // A text alone has the same bits, and the same explanation.
    const auto b = static_cast<std::size_t>(random.below(rows.size()));
    const auto length = rows.offsets[b + 1] - rows.offsets[b];
    const std::array one = {std::int64_t{0}, length};
    const runtime::TokenRows alone{rows.ids.subspan(rows.offsets[b], length), one};
    runtime::NetworkTrace found, expected;
    const auto own = network.logits(alone, {}, &found);
    EXPECT_TRUE(std::equal(own.begin(), own.end(), logits.begin() + std::ssize(own) * b));
    reference.logits(alone, {}, &expected);
    if (length == 0) continue;
    expect_near(found.pooling_weights, expected.pooling_weights, 1e-5);
    ASSERT_EQ(found.layers.size(), expected.layers.size());
    for (std::size_t k = 0; k < found.layers.size(); ++k) {
      expect_near(found.layers[k].query_weights, expected.layers[k].query_weights, 1e-5);
      expect_near(found.layers[k].key_weights, expected.layers[k].key_weights, 1e-5);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AdditiveNetworkSlow, ::testing::Range(1, 9));

}  // namespace
}  // namespace fastformer::classification
