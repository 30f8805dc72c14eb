#pragma once

#include <cstdint>
#include <string>

#include "fastformer/base/config_tree.h"
#include "fastformer/nn/decoder.h"
#include "fastformer/tasks/model_config.h"

namespace fastformer::tasks {

/// The recipe's [model] section for summarization: that of `ModelConfig`, which describes the
/// documents' side, and the decoder. Width, heads and activation are the encoder's. The paper gives
/// four decoder layers (arXiv 2108.09084, appendix); the rest of the decoder it leaves open.
struct SummarizerConfig {
  ModelConfig source;
  std::int64_t decoder_layers = 4;
  std::int64_t decoder_ffn_width = 1024;
  std::string decoder_normalization = "post";
  double decoder_dropout = 0.2;
  std::int64_t target_positions = 512;
  bool tied = true;
  bool copy = true;

  void visit_fields(base::FieldVisitor& visit) {
    source.visit_fields(visit);
    visit("decoder_layers", decoder_layers, "decoder layers", base::between(1, 1000));
    visit("decoder_ffn_width", decoder_ffn_width,
          "inner width of the decoder's feed-forward block; 0: no such block",
          base::between(0, 1 << 20));
    visit("decoder_normalization", decoder_normalization,
          "layer normalisation before or after each block of the decoder",
          base::one_of({"pre", "post"}));
    visit("decoder_dropout", decoder_dropout,
          "share of the decoder's numbers set to zero while training", base::between(0, 0.99));
    visit("target_positions", target_positions,
          "learned positions of summaries, to which they are cut; 0: none, any length",
          base::between(0, 1 << 24));
    visit("tied", tied, "the output layer uses the embeddings of the tokens");
    visit("copy", copy, "tokens may be copied from the document (pointer-generator)");
  }
  /// Throws std::invalid_argument with one sentence.
  void validate() const;

  nn::DecoderConfig decoder() const;
  /// Of summaries, for a vocabulary of that size.
  nn::EmbeddingOptions target_embedding(std::int64_t vocabulary_size) const;
  /// The most tokens of a summary: `max_tokens` (0: no limit), lowered to what the positions allow,
  /// one of which the token before the first takes.
  std::int64_t summary_limit(std::int64_t max_tokens) const;
};

/// The preset that the section names, overridden by what else the section holds.
/// Throws std::invalid_argument as ConfigTree::read_section does.
SummarizerConfig read_summarizer_config(const base::ConfigTree& tree);

}  // namespace fastformer::tasks
