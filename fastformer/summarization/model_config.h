#pragma once

#include <array>
#include <cstdint>

#include "fastformer/base/config_tree.h"
#include "fastformer/model/text_encoder_config.h"
#include "fastformer/nn/decoder/decoder.h"

namespace fastformer::summarization {

/// Whether summaries are written, or consist of sentences of the document.
enum class SummaryKind : std::uint8_t { kAbstractive, kExtractive };

/// The table [model.decoder]. Width, heads and activation are those of the encoder. The paper uses
/// four layers (arXiv 2108.09084, appendix) and does not specify the rest of the decoder.
struct DecoderFields {
  std::int64_t layers = 4;
  std::int64_t ffn_width = 1024;
  model::Normalization normalization = model::Normalization::kPost;
  double dropout = 0.2;
  std::int64_t max_positions = 512;
  bool tied = true;
  bool copy = true;

  void visit_fields(base::FieldVisitor& visit);
};

/// The table [model.sentences]: the encoder of sentences of an extractive model. Its other fields
/// are those of the encoder of documents.
struct SentenceFields {
  std::int64_t layers = 1;
  double token_dropout = 0.5;

  void visit_fields(base::FieldVisitor& visit);
};

/// The recipe's [model] section for summarization: the encoder of documents, and the decoder of an
/// abstractive model or the encoder of sentences of an extractive one.
struct ModelConfig {
  SummaryKind kind = SummaryKind::kAbstractive;
  model::TextEncoderConfig source;
  DecoderFields decoder;
  SentenceFields sentences;

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const { source.validate(); }

  /// The preset that the section names, overridden by the other fields of the section. Throws as
  /// ConfigTree::read_section does.
  static ModelConfig read(const base::ConfigTree& tree);

  nn::DecoderConfig decoder_config() const;
  model::EncoderConfig sentence_encoder() const;
  /// The options of the embedding of summaries, for a vocabulary of that size.
  model::EmbeddingOptions target_embedding(std::int64_t vocabulary_size) const;
  /// Largest number of tokens of a summary: `max_tokens` (0: no limit), limited by the positions,
  /// of which the begin token takes one.
  std::int64_t summary_limit(std::int64_t max_tokens) const;
};

}  // namespace fastformer::summarization

namespace fastformer::base {
template <>
inline constexpr std::array kWords<summarization::SummaryKind> = {"abstractive", "extractive"};
}  // namespace fastformer::base
