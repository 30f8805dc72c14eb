#include "fastformer/tasks/model_config.h"

#include <algorithm>

namespace fastformer::tasks {

nn::EmbeddingOptions ModelConfig::embedding(std::int64_t vocabulary_size) const {
  return {.vocabulary_size = vocabulary_size,
          .width = encoder.width,
          .max_positions = max_positions,
          .bigram_buckets = bigram_buckets,
          .normalization = embedding_normalization,
          .deviation = embedding_deviation,
          .bigram_deviation = bigram_deviation,
          .dropout = embedding_dropout,
          .bigram_dropout = bigram_dropout};
}

std::int64_t ModelConfig::document_limit(std::int64_t max_tokens) const {
  if (max_positions == 0) return max_tokens;
  return max_tokens == 0 ? max_positions : std::min(max_tokens, max_positions);
}

ModelConfig model_preset(const std::string& name) {
  ModelConfig config;
  config.preset = name;
  config.encoder = nn::encoder_preset(name);
  if (name == "paper") config.embedding_normalization = false;
  return config;
}

ModelConfig read_model_config(const base::ConfigTree& tree) {
  return tree.read_preset_section<ModelConfig>(
      "model", [](const ModelConfig& named) { return model_preset(named.preset); });
}

}  // namespace fastformer::tasks
