#include "fastformer/model/mixer_config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/nn/layers/encoder.h"
#include "fastformer/nn/mixers/additive_attention.h"
#include "fastformer/nn/mixers/block_sparse_attention.h"
#include "fastformer/nn/mixers/low_rank_attention.h"
#include "fastformer/nn/mixers/mixer.h"
#include "fastformer/nn/mixers/pooling_attention.h"
#include "fastformer/nn/mixers/sliding_window_attention.h"
#include "fastformer/nn/mixers/softmax_attention.h"

namespace fastformer::nn {
namespace {

model::EncoderConfig read_encoder(const std::vector<std::string>& assignments,
                                  model::EncoderConfig config = {}) {
  base::ConfigTree tree;
  for (const auto& assignment : assignments) tree.set("model." + assignment);
  tree.read_section("model", config);
  return config;
}

std::string refusal(const std::vector<std::string>& assignments) {
  try {
    read_encoder(assignments);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

void expect_contains(const std::string& message, const std::string& part) {
  EXPECT_NE(message.find(part), std::string::npos) << "'" << message << "' lacks " << part;
}

// The mixer's table of a configuration, as text.
std::string table_of(const model::MixerConfig& mixer) {
  model::EncoderConfig config;
  config.mixer = mixer;
  base::ConfigTree tree;
  tree.write_section("model", config);
  const auto toml = tree.to_toml();
  return toml.substr(toml.find("[model.mixer]"));
}

TEST(MixerConfig, EachMixerHasItsOwnFields) {
  EXPECT_EQ(table_of(model::MixerConfig()),
            "[model.mixer]\nname = \"additive\"\nlogits = \"full\"\ninteraction = \"product\"\n"
            "share_query_value = true\nshare_heads = false\n");
  EXPECT_EQ(table_of(model::MixerConfig("softmax")),
            "[model.mixer]\nname = \"softmax\"\ncausal = false\n");
  EXPECT_EQ(table_of(model::MixerConfig("linear")),
            "[model.mixer]\nname = \"linear\"\ncausal = false\n");
  EXPECT_EQ(table_of(model::MixerConfig("sliding_window")),
            "[model.mixer]\nname = \"sliding_window\"\nwindow = 64\nglobal_tokens = 8\n");
  EXPECT_EQ(table_of(model::MixerConfig("block_sparse")),
            "[model.mixer]\nname = \"block_sparse\"\nwindow = 64\nblock_size = 16\n"
            "global_tokens = 8\nrandom_tokens = 8\nrandom_seed = 0\nglobal_kind = \"internal\"\n");
  EXPECT_EQ(table_of(model::MixerConfig("low_rank")),
            "[model.mixer]\nname = \"low_rank\"\nprojection = 16\nprojection_length = 512\n"
            "projection_sharing = \"heads\"\n");
  EXPECT_EQ(table_of(model::MixerConfig("pooling")),
            "[model.mixer]\nname = \"pooling\"\nwindow = 64\npooled_window = 256\nkernel = 5\n"
            "stride = 4\npooling = \"mean\"\nresidual = true\n");
}

TEST(MixerConfig, ReadsTheFieldsOfTheMixerThatItNames) {
  const auto config = read_encoder({"mixer.name=sliding_window", "mixer.window=256"});
  EXPECT_EQ(config.mixer.name(), "sliding_window");
  EXPECT_EQ(config.mixer.fields<SlidingWindowFields>().window, 256);
  EXPECT_EQ(config.mixer.fields<SlidingWindowFields>().global_tokens, 8);
  const auto short_form = read_encoder({"mixer=softmax"});
  EXPECT_EQ(short_form.mixer.name(), "softmax");
  const auto pooling = read_encoder(
      {"mixer.name=pooling", "mixer.pooling=dynamic", "mixer.residual=false", "mixer.kernel=3"});
  EXPECT_EQ(pooling.mixer.fields<PoolingFields>().pooling, PoolingKind::kDynamic);
  EXPECT_FALSE(pooling.mixer.fields<PoolingFields>().residual);
  const auto low_rank = read_encoder({"mixer.name=low_rank", "mixer.projection_sharing=layers"});
  EXPECT_EQ(low_rank.mixer.fields<LowRankFields>().projection_sharing, ProjectionSharing::kLayers);
}

TEST(MixerConfig, KeepsFieldsWhereTheNameStays) {
  auto start = read_encoder({"mixer.name=sliding_window", "mixer.window=256"});
  const auto kept = read_encoder({"mixer.global_tokens=2"}, start);
  EXPECT_EQ(kept.mixer.fields<SlidingWindowFields>().window, 256);
  const auto replaced = read_encoder({"mixer.name=block_sparse"}, start);
  EXPECT_EQ(replaced.mixer.fields<BlockSparseFields>().window, 64);
}

TEST(MixerConfig, RefusesTheFieldsOfOtherMixers) {
  expect_contains(refusal({"mixer.window=9"}), "unknown key 'window' in section [model.mixer]");
  expect_contains(refusal({"mixer.name=sliding_window", "mixer.causal=true"}), "'causal'");
  expect_contains(refusal({"mixer.name=softmax", "mixer.logits=full"}), "'logits'");
  expect_contains(refusal({"mixer.name=linear", "mixer.window=9"}), "'window'");
  expect_contains(refusal({"mixer.name=low_rank", "mixer.block_size=9"}), "'block_size'");
  expect_contains(refusal({"mixer.name=pooling", "mixer.random_seed=9"}), "'random_seed'");
  expect_contains(refusal({"mixer.name=block_sparse", "mixer.stride=9"}), "'stride'");
  expect_contains(refusal({"window=9"}), "unknown key 'window' in section [model]");
}

TEST(MixerConfig, NamesTheKeyOfAWrongValue) {
  expect_contains(refusal({"mixer.name=sofmax"}), "model.mixer.name cannot be 'sofmax'");
  expect_contains(refusal({"mixer.name=sliding_window", "mixer.window=-1"}), "model.mixer.window");
  expect_contains(refusal({"mixer.interaction=sum"}), "model.mixer.interaction");
  expect_contains(
      refusal({"mixer.name=block_sparse", "mixer.global_kind=external", "mixer.global_tokens=0"}),
      "mixer.global_kind = external needs mixer.global_tokens");
  expect_contains(refusal({"width=10", "heads=3"}), "width = 10 must be a multiple of heads = 3");
  expect_contains(refusal({"normalization=both"}), "model.normalization");
}

TEST(MixerConfig, IsAValue) {
  model::MixerConfig config("sliding_window");
  auto copy = config;
  copy.fields<SlidingWindowFields>().window = 2;
  EXPECT_EQ(config.fields<SlidingWindowFields>().window, 64);
  config = copy;
  EXPECT_EQ(config.fields<SlidingWindowFields>().window, 2);
  config = model::MixerConfig("softmax");
  EXPECT_EQ(config.name(), "softmax");
  EXPECT_THROW(config.fields<SlidingWindowFields>(), std::logic_error);
  EXPECT_THROW(std::as_const(config).fields<model::AdditiveFields>(), std::logic_error);
  EXPECT_THROW(model::MixerConfig("sofmax"), std::invalid_argument);
}

TEST(EncoderPreset, ThePaperDiffersFromTheAuthorsCode) {
  const auto code = model::encoder_preset(model::Preset::kAuthorsCode),
             paper = model::encoder_preset(model::Preset::kPaper);
  EXPECT_EQ(code.mixer.fields<model::AdditiveFields>().logits, model::LogitColumns::kFull);
  EXPECT_TRUE(code.residual && code.output_projection && !code.share_layers);
  EXPECT_EQ(code.normalization, model::Normalization::kPost);
  EXPECT_EQ(code.ffn_width, 256);
  const auto& fields = paper.mixer.fields<model::AdditiveFields>();
  EXPECT_EQ(fields.logits, model::LogitColumns::kPerHead);
  EXPECT_TRUE(fields.share_query_value && !fields.share_heads);
  EXPECT_TRUE(!paper.residual && !paper.output_projection && paper.share_layers);
  EXPECT_EQ(paper.normalization, model::Normalization::kNone);
  EXPECT_EQ(paper.ffn_width, 0);
  const auto kept = read_encoder({"mixer.share_heads=true"}, paper);
  EXPECT_EQ(kept.mixer.fields<model::AdditiveFields>().logits, model::LogitColumns::kPerHead);
  const auto replaced = read_encoder({"mixer=linear"}, paper);
  EXPECT_EQ(replaced.mixer.name(), "linear");
  EXPECT_TRUE(replaced.share_layers);
}

// A mixer of a program of its own: each token becomes `weight` of itself.
struct ScaleFields {
  double weight = 0.5;

  void visit_fields(base::FieldVisitor& visit) {
    visit("weight", weight, "of each token", base::between(0, 10));
  }
  void validate() const {
    if (weight == 7) throw std::invalid_argument("mixer.weight must not be 7");
  }
};

class ScaleMixer final : public Mixer {
 public:
  explicit ScaleMixer(double weight) : weight_(weight) {}
  at::Tensor forward(const at::Tensor& x, const Offsets& /*offsets*/,
                     MixerTrace* /*trace*/) const override {
    return x * weight_;
  }

 private:
  double weight_;
};

void register_scale() {
  const auto names = model::mixer_names();
  if (std::find(names.begin(), names.end(), "scale") != names.end()) return;
  register_mixer<ScaleFields>(
      "scale",
      [](const model::MixerShape& /*shape*/, const ScaleFields& fields, ParameterStore& /*store*/,
         const std::string& /*name*/) { return std::make_unique<ScaleMixer>(fields.weight); });
}

TEST(RegisteredMixer, HasFieldsOfItsOwn) {
  register_scale();
  const auto config = read_encoder({"mixer.name=scale", "mixer.weight=3", "ffn_width=0",
                                    "normalization=none", "residual=false", "layers=2"});
  EXPECT_EQ(table_of(config.mixer), "[model.mixer]\nname = \"scale\"\nweight = 3.0\n");
  ParameterStore store(1);
  const Encoder encoder(config, store, "encoder");
  const auto x = at::randn({5, 256});
  const std::vector<std::int64_t> offsets = {0, 5};
  EXPECT_TRUE(at::allclose(encoder.forward(x, Offsets(offsets), false, nullptr), 9 * x));
}

TEST(RegisteredMixer, ChecksItsFields) {
  register_scale();
  expect_contains(refusal({"mixer.name=scale", "mixer.weight=7"}), "mixer.weight must not be 7");
  expect_contains(refusal({"mixer.name=scale", "mixer.weight=70"}), "model.mixer.weight");
  expect_contains(refusal({"mixer.name=scale", "mixer.window=7"}), "'window'");
}

TEST(RegisteredMixer, NeedsANameOfItsOwn) {
  register_scale();
  const auto factory = [](const model::MixerShape&, const model::NoMixerFields&, ParameterStore&,
                          const std::string&) { return std::make_unique<ScaleMixer>(1); };
  EXPECT_THROW(register_mixer<model::NoMixerFields>("scale", factory), std::invalid_argument);
  EXPECT_THROW(register_mixer<model::NoMixerFields>("softmax", factory), std::invalid_argument);
}

}  // namespace
}  // namespace fastformer::nn
