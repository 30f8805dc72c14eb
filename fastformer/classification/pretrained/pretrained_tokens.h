#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/model/classifier_config.h"
#include "fastformer/nn/bert/bert_encoder.h"
#include "fastformer/nn/bert/document_chunks.h"
#include "fastformer/nn/layers/linear.h"

namespace fastformer::classification {

/// The prefix of its parameters' names.
inline constexpr const char* kPretrained = "pretrained.";

/// The token vectors of a pre-trained encoder (nn::BertEncoder). It reads documents in chunks, see
/// nn::cut_into_chunks(), so that they may have any length, at a cost linear in it. With another
/// `width` than that of the encoder, the linear layer `projection` follows.
class PretrainedTokens {
 public:
  /// Throws std::invalid_argument if the vocabulary is not that of the encoder, and as BertEncoder.
  PretrainedTokens(const model::ClassifierConfig& config, std::int64_t vocabulary_size,
                   nn::ParameterStore& store);

  /// ids [T], each document with [CLS] and [SEP] -> [T, width]. `frozen`: the result of
  /// frozen_rows() for the same documents, or undefined. `training` turns dropout on.
  at::Tensor forward(std::span<const std::int32_t> ids, const nn::Offsets& offsets, bool training,
                     const at::Tensor& frozen = {}) const;

  /// Whether layers of the encoder are frozen.
  bool has_frozen_rows() const { return encoder_.has_frozen_rows(); }
  /// The rows of the last frozen layer for all chunks of the documents, [R, e]. Throws
  /// std::logic_error if no layer is frozen.
  at::Tensor frozen_rows(std::span<const std::int32_t> ids, const nn::Offsets& offsets) const;
  const nn::ChunkShape& chunks() const { return chunks_; }

  /// The tables with sparse gradients and their rows, see BertEncoder::touched_rows().
  std::vector<std::pair<std::string, at::Tensor>> touched_rows(std::span<const std::int32_t> ids,
                                                               const nn::Offsets& offsets) const;

 private:
  nn::ChunkShape chunks_;
  nn::BertEncoder encoder_;
  nn::Linear projection_;
  double dropout_;
};

/// The learning rate of a parameter, relative to train.learning_rate: with L layers, that of layer
/// i is pretrained_factor layer_factor^(L - 1 - i), and that of the embeddings belongs to i = -1.
double learning_rate_factor(const model::PretrainedFields& fields, const std::string& parameter);

}  // namespace fastformer::classification
