#pragma once

#include <cstdint>

#include "fastformer/base/config_tree.h"
#include "fastformer/model/embedding_options.h"
#include "fastformer/model/encoder_config.h"

namespace fastformer::model {

/// The embedding and the encoder of texts: the fields of [model] that classifiers and summarizers
/// share. The defaults are those of the preset `authors_code`.
struct TextEncoderConfig {
  Preset preset = Preset::kAuthorsCode;
  EncoderConfig encoder;
  std::int64_t max_positions = 512;
  std::int64_t bigram_buckets = 0;
  bool embedding_normalization = true;
  double embedding_dropout = 0.2;
  double bigram_dropout = 0;
  double initial_deviation = 0.02;
  double embedding_deviation = 0.02;
  double bigram_deviation = 0.02;

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const { encoder.validate(); }

  /// The options of the embedding for a vocabulary of that size.
  EmbeddingOptions embedding(std::int64_t vocabulary_size) const;
  /// `max_tokens` (0: no limit), but at most the number of positions, if the model has positions.
  std::int64_t token_limit(std::int64_t max_tokens) const;
};

TextEncoderConfig text_encoder_preset(Preset preset);

}  // namespace fastformer::model
