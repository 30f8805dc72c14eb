#pragma once

#include <cstdint>
#include <string>

#include "fastformer/base/config_tree.h"
#include "fastformer/nn/embedding.h"
#include "fastformer/nn/encoder_config.h"

namespace fastformer::tasks {

/// The recipe's [model] section: embedding and encoder. Defaults: the preset `authors_code`.
struct ModelConfig {
  std::string preset = "authors_code";
  nn::EncoderConfig encoder;
  std::int64_t max_positions = 512;
  std::int64_t bigram_buckets = 0;
  bool embedding_normalization = true;
  double embedding_dropout = 0.2;
  double bigram_dropout = 0;
  double token_dropout = 0;
  double initial_deviation = 0.02;
  double embedding_deviation = 0.02;
  double bigram_deviation = 0.02;

  void visit_fields(base::FieldVisitor& visit) {
    visit("preset", preset, "what the other fields start from",
          base::one_of({"authors_code", "paper"}));
    encoder.visit_fields(visit);
    visit("max_positions", max_positions,
          "learned positions, to which documents are cut; 0: none, any length",
          base::between(0, 1 << 24));
    visit("bigram_buckets", bigram_buckets, "hashed embeddings of token pairs; 0: none",
          base::between(0, 1 << 28));
    visit("embedding_normalization", embedding_normalization,
          "layer normalisation of the embeddings");
    visit("embedding_dropout", embedding_dropout,
          "share of the embeddings' numbers set to zero while training", base::between(0, 0.99));
    visit("bigram_dropout", bigram_dropout, "share of the pairs left out while training",
          base::between(0, 0.99));
    visit("token_dropout", token_dropout, "share of the tokens left out while training",
          base::between(0, 0.99));
    visit("initial_deviation", initial_deviation,
          "standard deviation of the initial linear weights", base::between(0, 10));
    visit("embedding_deviation", embedding_deviation,
          "standard deviation of the initial token and position embeddings", base::between(0, 10));
    visit("bigram_deviation", bigram_deviation,
          "standard deviation of the initial pair embeddings", base::between(0, 10));
  }
  /// Throws std::invalid_argument with one sentence.
  void validate() const { encoder.validate(); }

  /// The embedding's part, for a vocabulary of that size.
  nn::EmbeddingOptions embedding(std::int64_t vocabulary_size) const;
  /// `max_tokens` (0: no limit), lowered to what the positions allow.
  std::int64_t document_limit(std::int64_t max_tokens) const;
};

/// What the fields start from under the name of a preset. Throws std::invalid_argument for another.
ModelConfig model_preset(const std::string& name);

/// The preset that the section names, overridden by what else the section holds.
/// Throws std::invalid_argument as ConfigTree::read_section does.
ModelConfig read_model_config(const base::ConfigTree& tree);

}  // namespace fastformer::tasks
