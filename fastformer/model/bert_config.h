#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "fastformer/base/config_field.h"
#include "fastformer/base/config_tree.h"
#include "fastformer/kernels/activation.h"

namespace fastformer::model {

/// The shape of a BERT encoder, read from the config.json next to its weights (Devlin et al., arXiv
/// 1810.04805). Comments give the names of Hugging Face's transformers for the fields.
///
///   const auto config = BertConfig::load("MiniLM/config.json");
///   config.width;  // 384
struct BertConfig {
  std::int64_t vocabulary_size = 30'522;  ///< vocab_size
  std::int64_t width = 768;               ///< hidden_size
  std::int64_t layers = 12;               ///< num_hidden_layers
  std::int64_t heads = 12;                ///< num_attention_heads
  std::int64_t ffn_width = 3'072;         ///< intermediate_size
  std::int64_t max_positions = 512;       ///< max_position_embeddings
  std::int64_t token_types = 2;           ///< type_vocab_size; a text is of type 0; 0: none
  kernels::Activation activation = kernels::Activation::kGelu;  ///< hidden_act
  double epsilon = 1e-12;                                       ///< layer_norm_eps
  double dropout = 0.1;            ///< hidden_dropout_prob, while training
  double attention_dropout = 0.1;  ///< attention_probs_dropout_prob, while training

  /// The fields of section [pretrained] in the config.json of a larger model, so that the model can
  /// be loaded without the folder of the encoder.
  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;

  /// Throws std::invalid_argument with one sentence for a file that is missing or not JSON, that
  /// lacks vocab_size or one of the shape's fields down to intermediate_size, or that has an
  /// impossible value; for a `model_type` other than "bert", "unilm" or "distilbert" (whose fields
  /// have other names); and for settings that would change the computation: relative positions, a
  /// decoder, or an activation other than "gelu", "gelu_new" and "relu". Other fields are ignored.
  static BertConfig load(const std::filesystem::path& path);
  /// The same for the content of a file; `where` names the file in messages.
  static BertConfig from_json(std::string_view json, const std::string& where);
  /// The shape for a model whose configuration is `tree`: its section [pretrained], which saved
  /// models have, else that of `folder`. Throws std::invalid_argument if there is neither.
  static BertConfig of_model(const base::ConfigTree& tree, const std::filesystem::path& folder);
};

}  // namespace fastformer::model
