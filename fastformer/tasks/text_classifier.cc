#include "fastformer/tasks/text_classifier.h"

#include "fastformer/nn/token_dropout.h"

namespace fastformer::tasks {

TextClassifier::TextClassifier(const ModelConfig& config, std::int64_t vocabulary_size,
                               std::int64_t classes, std::uint64_t seed, at::ScalarType dtype)
    : config_(config),
      classes_(classes),
      store_(seed, dtype, config.initial_deviation),
      embedding_(config.embedding(vocabulary_size), store_, "embedding"),
      encoder_(config.encoder, store_, "encoder"),
      pooling_(store_, "pooling", config.encoder.width),
      classifier_(store_, "classifier", config.encoder.width, classes) {}

at::Tensor TextClassifier::forward(const data::RaggedBatch& batch, bool training,
                                   ClassifierTrace* trace) const {
  auto x = embedding_.forward(batch.ids, nn::Offsets(batch.offsets), training);
  std::vector<std::int64_t> kept;
  if (training && config_.token_dropout > 0) {
    auto tokens = nn::drop_tokens(x, nn::Offsets(batch.offsets), config_.token_dropout);
    x = std::move(tokens.rows);
    kept = std::move(tokens.offsets);
  }
  const nn::Offsets offsets(kept.empty() ? batch.offsets : kept);
  const bool plain = !training && trace == nullptr && !at::GradMode::is_enabled();
  const auto encoded = plain ? encoder_.infer(std::move(x), offsets)
                             : encoder_.forward(std::move(x), offsets, training,
                                                trace != nullptr ? &trace->layers : nullptr);
  const auto pooled = pooling_.forward(encoded, offsets);
  if (trace != nullptr) {
    trace->pooling_weights = pooled.weights;
    trace->encoded = encoded;
  }
  return classifier_.forward(pooled.vectors);
}

std::set<std::string> TextClassifier::row_sparse_parameters() const {
  std::set<std::string> names = {"embedding.token.weight"};
  if (config_.bigram_buckets > 0) names.insert("embedding.bigram.weight");
  if (config_.max_positions > 0) names.insert("embedding.position.weight");
  return names;
}

std::vector<std::pair<std::string, at::Tensor>> TextClassifier::touched_rows(
    const data::RaggedBatch& batch) const {
  return embedding_.touched_rows(batch.ids, nn::Offsets(batch.offsets));
}

}  // namespace fastformer::tasks
