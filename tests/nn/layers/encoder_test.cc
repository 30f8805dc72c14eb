#include "fastformer/nn/layers/encoder.h"

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fastformer::nn {
namespace {

const std::vector<std::int64_t> kEncoderOffsets = {0, 7, 7, 8, 308, 340};

model::EncoderConfig small_encoder(const std::string& mixer, model::Normalization normalization) {
  model::EncoderConfig config;
  config.mixer = model::MixerConfig(mixer);
  config.normalization = normalization;
  config.width = 24;
  config.heads = 3;
  config.ffn_width = 32;
  return config;
}

TEST(Encoder, InferenceInPlaceEqualsTheForwardPass) {
  const c10::NoGradGuard no_gradients;
  for (const auto* mixer :
       {"additive", "block_sparse", "linear", "low_rank", "pooling", "sliding_window", "softmax"}) {
    for (const auto normalization :
         {model::Normalization::kPost, model::Normalization::kPre, model::Normalization::kNone}) {
      ParameterStore store(1, at::kDouble, 0.2);
      const Encoder encoder(small_encoder(mixer, normalization), store, "encoder");
      const auto x = at::randn({kEncoderOffsets.back(), 24}, at::kDouble);
      const auto y = encoder.forward(x, Offsets(kEncoderOffsets), /*training=*/false, nullptr);
      const auto in_place = encoder.infer(x.clone(), Offsets(kEncoderOffsets));
      EXPECT_TRUE(at::allclose(in_place, y, 1e-10, 1e-12)) << mixer;
    }
  }
}

TEST(Encoder, SharedLayersHaveTheParametersOfTheFirst) {
  auto config = small_encoder("additive", model::Normalization::kPost);
  ParameterStore own(1), shared(1);
  const Encoder separate(config, own, "encoder");
  config.share_layers = true;
  const Encoder sharing(config, shared, "encoder");
  EXPECT_EQ(own.parameters().size(), 2 * shared.parameters().size());
  for (const auto& [name, parameter] : shared.parameters()) {
    EXPECT_TRUE(name.starts_with("encoder.layers.0.")) << name;
  }
}

TEST(Encoder, RefusesAWidthThatHeadsDoNotDivide) {
  auto config = small_encoder("additive", model::Normalization::kPost);
  EXPECT_NO_THROW(config.validate());
  config.heads = 5;
  EXPECT_THROW(config.validate(), std::invalid_argument);
}

}  // namespace
}  // namespace fastformer::nn
