#include "fastformer/model/text_encoder_config.h"

#include <algorithm>

namespace fastformer::model {

void TextEncoderConfig::visit_fields(base::FieldVisitor& visit) {
  visit("preset", preset,
        "defaults of the other fields: as in the published code, or as in the paper");
  encoder.visit_fields(visit);
  visit("max_positions", max_positions,
        "number of learned positions; longer documents are truncated; 0: no positions, any length",
        base::between(0, 1 << 24));
  visit("bigram_buckets", bigram_buckets,
        "rows of the embedding table for hashed token pairs; 0: none", base::between(0, 1 << 28));
  visit("embedding_normalization", embedding_normalization, "layer norm of the embeddings");
  visit("embedding_dropout", embedding_dropout, "dropout rate of the embeddings",
        base::between(0, 0.99));
  visit("bigram_dropout", bigram_dropout,
        "fraction of the token pairs that are dropped in training", base::between(0, 0.99));
  visit("initial_deviation", initial_deviation, "standard deviation of the initial linear weights",
        base::between(0, 10));
  visit("embedding_deviation", embedding_deviation,
        "standard deviation of the initial token and position embeddings", base::between(0, 10));
  visit("bigram_deviation", bigram_deviation,
        "standard deviation of the initial embeddings of token pairs", base::between(0, 10));
}

EmbeddingOptions TextEncoderConfig::embedding(std::int64_t vocabulary_size) const {
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

std::int64_t TextEncoderConfig::token_limit(std::int64_t max_tokens) const {
  if (max_positions == 0) return max_tokens;
  return max_tokens == 0 ? max_positions : std::min(max_tokens, max_positions);
}

TextEncoderConfig text_encoder_preset(Preset preset) {
  TextEncoderConfig config;
  config.preset = preset;
  config.encoder = encoder_preset(preset);
  if (preset == Preset::kPaper) config.embedding_normalization = false;
  return config;
}

}  // namespace fastformer::model
