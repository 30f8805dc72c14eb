#include "fastformer/classification/pretrained/pretrained_tokens.h"

#include <cmath>
#include <stdexcept>

#include "fastformer/nn/layers/dropout.h"

namespace fastformer::classification {
namespace {

const model::BertConfig& checked(const model::PretrainedFields& fields,
                                 std::int64_t vocabulary_size) {
  if (vocabulary_size <= fields.bert.vocabulary_size) return fields.bert;
  throw std::invalid_argument("the vocabulary has " + std::to_string(vocabulary_size) +
                              " tokens, but the pre-trained encoder in " + fields.folder + " has " +
                              std::to_string(fields.bert.vocabulary_size) +
                              "; use the vocabulary next to its weights");
}

}  // namespace

PretrainedTokens::PretrainedTokens(const model::ClassifierConfig& config,
                                   std::int64_t vocabulary_size, nn::ParameterStore& store)
    : chunks_{.tokens = config.pretrained.chunk_limit(),
              .overlap = config.pretrained.shared_tokens()},
      encoder_(checked(config.pretrained, vocabulary_size), store, "pretrained",
               {.layers = config.pretrained.trainable_layers}),
      dropout_(config.text.embedding_dropout) {
  const auto own = config.pretrained.bert.width, width = config.text.encoder.width;
  if (own != width) projection_ = nn::Linear(store, "projection", own, width);
}

at::Tensor PretrainedTokens::forward(std::span<const std::int32_t> ids, const nn::Offsets& offsets,
                                     bool training, const at::Tensor& frozen) const {
  const auto chunks = nn::cut_into_chunks(ids, offsets, chunks_);
  const nn::Offsets of_chunks(chunks.offsets);
  auto rows = frozen.defined() ? encoder_.forward_frozen(frozen, of_chunks, training)
                               : encoder_.forward(chunks.ids, of_chunks, training);
  if (chunks.rows.size() < chunks.ids.size()) {
    rows = rows.index_select(0, at::tensor(chunks.rows, at::kLong));
  }
  if (projection_) rows = projection_.forward(rows);
  return training && dropout_ > 0 ? nn::dropout(rows, dropout_) : rows;
}

at::Tensor PretrainedTokens::frozen_rows(std::span<const std::int32_t> ids,
                                         const nn::Offsets& offsets) const {
  const auto chunks = nn::cut_into_chunks(ids, offsets, chunks_);
  return encoder_.frozen_rows(chunks.ids, nn::Offsets(chunks.offsets));
}

std::vector<std::pair<std::string, at::Tensor>> PretrainedTokens::touched_rows(
    std::span<const std::int32_t> ids, const nn::Offsets& offsets) const {
  const auto chunks = nn::cut_into_chunks(ids, offsets, chunks_);
  return encoder_.touched_rows(chunks.ids, nn::Offsets(chunks.offsets));
}

double learning_rate_factor(const model::PretrainedFields& fields, const std::string& parameter) {
  constexpr std::string_view kLayer = "encoder.layer.";
  if (!fields || !parameter.starts_with(kPretrained)) return 1;
  const auto own = std::string_view(parameter).substr(std::string_view(kPretrained).size());
  const auto layer =
      own.starts_with(kLayer) ? std::stoll(std::string(own.substr(kLayer.size()))) : -1;
  return fields.learning_rate_factor *
         std::pow(fields.layer_factor, static_cast<double>(fields.bert.layers - 1 - layer));
}

}  // namespace fastformer::classification
