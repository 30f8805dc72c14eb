#include "fastformer/tasks/summarizer_config.h"

#include <algorithm>
#include <stdexcept>

namespace fastformer::tasks {

void SummarizerConfig::validate() const {
  source.validate();
  if (source.token_dropout > 0) {
    throw std::invalid_argument(
        "model.token_dropout is for classification; set it to 0 to train a summarizer, which "
        "attends to all tokens");
  }
}

nn::DecoderConfig SummarizerConfig::decoder() const {
  return {.layers = decoder_layers,
          .width = source.encoder.width,
          .heads = source.encoder.heads,
          .ffn_width = decoder_ffn_width,
          .activation = source.encoder.activation,
          .normalization = decoder_normalization,
          .dropout = decoder_dropout};
}

nn::EmbeddingOptions SummarizerConfig::target_embedding(std::int64_t vocabulary_size) const {
  auto options = source.embedding(vocabulary_size);
  options.max_positions = target_positions;
  options.bigram_buckets = 0;
  return options;
}

std::int64_t SummarizerConfig::summary_limit(std::int64_t max_tokens) const {
  if (target_positions == 0) return max_tokens;
  return max_tokens == 0 ? target_positions - 1 : std::min(max_tokens, target_positions - 1);
}

SummarizerConfig read_summarizer_config(const base::ConfigTree& tree) {
  return tree.read_preset_section<SummarizerConfig>("model", [](const SummarizerConfig& named) {
    return SummarizerConfig{.source = model_preset(named.source.preset)};
  });
}

}  // namespace fastformer::tasks
