#include "fastformer/tasks/recommender_config.h"

#include <algorithm>
#include <stdexcept>

namespace fastformer::tasks {

nn::EncoderConfig RecommenderConfig::user() const {
  auto config = user_encoder;
  config.width = encoder.width;
  return config;
}

nn::EmbeddingOptions RecommenderConfig::embedding(std::int64_t vocabulary_size) const {
  return {.vocabulary_size = vocabulary_size,
          .width = encoder.width,
          .max_positions = max_positions,
          .normalization = embedding_normalization,
          .deviation = embedding_deviation,
          .dropout = embedding_dropout};
}

std::int64_t RecommenderConfig::title_limit(std::int64_t title_tokens) const {
  auto limit = title_tokens;
  if (max_positions > 0) limit = std::min(limit, max_positions);
  if (model == "fim") limit = std::min(limit, matched_words);
  return limit;
}

void RecommenderConfig::validate() const {
  if (model == "fim") return;
  encoder.validate();
  if (encoder.width % user_encoder.heads != 0) {
    throw std::invalid_argument(
        "model.width = " + std::to_string(encoder.width) +
        " must be a multiple of model.user_heads = " + std::to_string(user_encoder.heads));
  }
  user().validate();
}

RecommenderConfig recommender_preset(const std::string& model) {
  RecommenderConfig config;
  config.model = model;
  auto& encoder = config.encoder;
  encoder.layers = 1;
  encoder.normalization = "none";
  if (model == "nrms") {
    encoder.mixer = "softmax";
    encoder.residual = false;
    encoder.output_projection = false;
    encoder.ffn_width = 0;
  }
  config.user_encoder = encoder;
  return config;
}

RecommenderConfig read_recommender_config(const base::ConfigTree& tree) {
  // The section is read twice: for the model's name, then over that model's values.
  RecommenderConfig config;
  tree.read_section("model", config);
  config = recommender_preset(config.model);
  tree.read_section("model", config);
  return config;
}

}  // namespace fastformer::tasks
