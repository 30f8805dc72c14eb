#include "fastformer/runtime/additive_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/kernels/simd_level.h"
#include "runtime/plain_network.h"
#include "support/temporary_folder.h"

namespace fastformer::runtime {
namespace {

constexpr std::int64_t kVocabulary = 20, kClasses = 3;

model::ClassifierConfig small_config() {
  model::ClassifierConfig config;
  config.text.encoder.width = 12;
  config.text.encoder.heads = 3;
  config.text.encoder.ffn_width = 10;
  config.text.max_positions = 0;
  return config;
}

// Every value of every switch, and pairs that meet in the same lines of code.
std::vector<model::ClassifierConfig> all_switches() {
  std::vector<model::ClassifierConfig> configs;
  for (int interaction = 0; interaction < 3; ++interaction) {
    for (int bits = 0; bits < 16; ++bits) {
      auto config = small_config();
      auto& encoder = config.text.encoder;
      auto& fields = encoder.mixer.fields<model::AdditiveFields>();
      fields.interaction = static_cast<model::Interaction>(interaction);
      fields.logits = static_cast<model::LogitColumns>(bits & 1);
      fields.share_query_value = (bits & 2) != 0;
      fields.share_heads = (bits & 4) != 0;
      encoder.output_projection = (bits & 8) != 0;
      encoder.normalization = static_cast<model::Normalization>(bits % 3);
      encoder.activation = static_cast<kernels::Activation>(bits % 4);
      encoder.residual = bits % 5 != 0;
      encoder.share_layers = bits % 7 == 0;
      if (bits % 3 == 1) encoder.ffn_width = 0;
      config.text.bigram_buckets = bits % 2 == 0 ? 9 : 0;
      config.text.max_positions = bits % 3 == 0 ? 80 : 0;
      config.text.embedding_normalization = bits % 4 < 2;
      configs.push_back(config);
    }
  }
  auto none = small_config();
  none.text.encoder.layers = 0;
  configs.push_back(none);
  return configs;
}

struct Texts {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> offsets = {0};
  TokenRows rows() const { return {ids, offsets}; }
};

Texts texts_of(const std::vector<std::int64_t>& lengths) {
  Texts texts;
  for (const auto length : lengths) {
    for (std::int64_t i = 0; i < length; ++i) {
      texts.ids.push_back(static_cast<std::int32_t>((i * i + 3 * length) % kVocabulary));
    }
    texts.offsets.push_back(std::ssize(texts.ids));
  }
  return texts;
}

class AdditiveNetworkTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { kernels::set_simd_level(GetParam()); }
  void TearDown() override { kernels::set_simd_level(""); }
  testing::TemporaryFolder folder_;
};

TEST_P(AdditiveNetworkTest, EqualsTheDefinition) {
  const auto texts = texts_of({3, 0, 1, 70, 8, 5});
  unsigned seed = 0;
  for (const auto& config : all_switches()) {
    PlainParameters parameters(++seed);
    const PlainNetwork plain(config, kVocabulary, kClasses, parameters);
    std::vector<double> expected;
    for (std::int64_t b = 0; b < texts.rows().size(); ++b) {
      const auto ids =
          std::span(texts.ids).subspan(texts.offsets[b], texts.offsets[b + 1] - texts.offsets[b]);
      const auto own = plain.logits(ids);
      expected.insert(expected.end(), own.begin(), own.end());
    }
    const auto file = folder_ / "model.safetensors";
    parameters.save(file);
    const AdditiveNetwork network(config, kVocabulary, kClasses, file);
    const auto found = network.logits(texts.rows(), {}, nullptr);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 2e-5 * std::max(1.0, std::abs(expected[i]))) << seed;
    }
    // Rounded operands differ by up to 1 / 256.
    const AdditiveNetwork rounding(config, kVocabulary, kClasses, file, kernels::Precision::kBf16);
    const auto rounded = rounding.logits(texts.rows(), {}, nullptr);
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < rounded.size(); ++i) {
      difference += (rounded[i] - expected[i]) * (rounded[i] - expected[i]);
      size += expected[i] * expected[i];
    }
    EXPECT_LT(difference, 0.1 * 0.1 * size) << seed;
    EXPECT_GT(difference, 1e-5 * 1e-5 * size) << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(SimdLevels, AdditiveNetworkTest,
                         ::testing::ValuesIn(kernels::simd_levels()),
                         [](const auto& level) { return level.param; });

// The network of a file with random parameters.
AdditiveNetwork network_of(const std::filesystem::path& file, const model::ClassifierConfig& config,
                           kernels::Precision precision = kernels::Precision::kFp32) {
  PlainParameters parameters(1);
  PlainNetwork(config, kVocabulary, kClasses, parameters).logits(std::vector{1, 2, 3});
  parameters.save(file);
  return AdditiveNetwork(config, kVocabulary, kClasses, file, precision);
}

TEST(AdditiveNetworkThreads, BitsDependOnTheTextAlone) {
  const testing::TemporaryFolder folder;
  const auto texts = texts_of({700, 3, 9000, 0, 40, 2100, 17});
  for (const auto precision : {kernels::Precision::kFp32, kernels::Precision::kBf16}) {
    const auto network = network_of(folder / "a.safetensors", small_config(), precision);
    const auto together = network.logits(texts.rows(), {.threads = 3}, nullptr);
    for (std::int64_t b = 0; b < texts.rows().size(); ++b) {
      const auto length = texts.offsets[b + 1] - texts.offsets[b];
      const std::array offsets = {std::int64_t{0}, length};
      const TokenRows alone{std::span(texts.ids).subspan(texts.offsets[b], length), offsets};
      const auto own = network.logits(alone, {.threads = 1}, nullptr);
      EXPECT_TRUE(std::equal(own.begin(), own.end(), together.begin() + b * kClasses)) << b;
    }
  }
}

TEST(AdditiveNetworkFile, RefusesWhatIsNoParameterOfTheModel) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "a.safetensors";
  network_of(file, small_config());
  auto other = small_config();
  other.text.encoder.ffn_width = 0;
  EXPECT_MENTIONS(testing::error_of([&] { AdditiveNetwork(other, kVocabulary, kClasses, file); }),
                  "a.safetensors", "no parameter 'encoder.layers.0.feed_forward");
  other = small_config();
  other.text.encoder.layers = 3;
  EXPECT_MENTIONS(testing::error_of([&] { AdditiveNetwork(other, kVocabulary, kClasses, file); }),
                  "'encoder.layers.2.attention.query.weight' is missing");
  EXPECT_MENTIONS(
      testing::error_of([&] { AdditiveNetwork(small_config(), 21, kClasses, file); }),
      "'embedding.token.weight' has the shape [20, 12], but the model expects [21, 12]");
  auto bytes = base::read_file(file);
  const auto place = bytes.size() - 4;
  bytes.replace(place, 4, std::string("\xFF\xFF\xFF\xFF"));
  base::write_file_atomically(file, bytes);
  EXPECT_MENTIONS(
      testing::error_of([&] { AdditiveNetwork(small_config(), kVocabulary, kClasses, file); }),
      "not finite");
}

TEST(AdditiveNetworkFile, RefusesTokensThatItDoesNotKnow) {
  const testing::TemporaryFolder folder;
  auto config = small_config();
  config.text.max_positions = 4;
  const auto network = network_of(folder / "a.safetensors", config);
  const std::vector<std::int32_t> ids = {1, 20, 2, 3, 4};
  const auto error_of = [&](std::int64_t length) {
    const std::array offsets = {std::int64_t{0}, length};
    return testing::error_of(
        [&] { network.logits({std::span(ids).subspan(0, length), offsets}, {}, nullptr); });
  };
  EXPECT_MENTIONS(error_of(2), "token id 20", "20 tokens");
  const std::vector<std::int32_t> many(5);
  const std::array offsets = {std::int64_t{0}, std::int64_t{5}};
  EXPECT_MENTIONS(testing::error_of([&] { network.logits({many, offsets}, {}, nullptr); }),
                  "5 tokens", "4 positions");
}

}  // namespace
}  // namespace fastformer::runtime
