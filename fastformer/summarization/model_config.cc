#include "fastformer/summarization/model_config.h"

#include <algorithm>

namespace fastformer::summarization {

void DecoderFields::visit_fields(base::FieldVisitor& visit) {
  visit("layers", layers, "decoder layers", base::between(1, 1000));
  visit("ffn_width", ffn_width, "hidden width of the feed-forward block; 0: no feed-forward block",
        base::between(0, 1 << 20));
  visit("normalization", normalization,
        "position of the layer normalization: after (post) or before (pre) each block");
  visit("dropout", dropout, "dropout rate", base::between(0, 0.99));
  visit("max_positions", max_positions,
        "number of learned positions; longer summaries are truncated; 0: no positions, any length",
        base::between(0, 1 << 24));
  visit("tied", tied, "the output layer shares the token embeddings");
  visit("copy", copy, "copy tokens from the document (pointer-generator)");
}

void SentenceFields::visit_fields(base::FieldVisitor& visit) {
  visit("layers", layers, "layers of the encoder of sentences", base::between(1, 1000));
  visit("token_dropout", token_dropout,
        "fraction of each sentence's tokens that training drops, which also saves their cost",
        base::between(0, 0.99));
}

void ModelConfig::visit_fields(base::FieldVisitor& visit) {
  visit("kind", kind,
        "abstractive: write the summary; extractive: choose sentences of the document");
  source.visit_fields(visit);
  visit.table("decoder", decoder, "abstractive: decoder that writes the summary");
  visit.table("sentences", sentences, "extractive: encoder of the sentences");
}

ModelConfig ModelConfig::read(const base::ConfigTree& tree) {
  return tree.read_preset_section<ModelConfig>("model", [](const ModelConfig& named) {
    ModelConfig config{.kind = named.kind,
                       .source = model::text_encoder_preset(named.source.preset)};
    // Sentences have their own places, and documents any length.
    if (named.kind == SummaryKind::kExtractive) config.source.max_positions = 0;
    return config;
  });
}

nn::DecoderConfig ModelConfig::decoder_config() const {
  return {.layers = decoder.layers,
          .width = source.encoder.width,
          .heads = source.encoder.heads,
          .ffn_width = decoder.ffn_width,
          .activation = source.encoder.activation,
          .normalization = decoder.normalization,
          .dropout = decoder.dropout};
}

model::EncoderConfig ModelConfig::sentence_encoder() const {
  auto config = source.encoder;
  config.layers = sentences.layers;
  return config;
}

model::EmbeddingOptions ModelConfig::target_embedding(std::int64_t vocabulary_size) const {
  auto options = source.embedding(vocabulary_size);
  options.max_positions = decoder.max_positions;
  options.bigram_buckets = 0;
  return options;
}

std::int64_t ModelConfig::summary_limit(std::int64_t max_tokens) const {
  if (decoder.max_positions == 0) return max_tokens;
  const auto most = decoder.max_positions - 1;
  return max_tokens == 0 ? most : std::min(max_tokens, most);
}

}  // namespace fastformer::summarization
