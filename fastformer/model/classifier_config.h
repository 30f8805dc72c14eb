#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/model/bert_config.h"
#include "fastformer/model/text_encoder_config.h"

namespace fastformer::model {

/// The kind of a classifier's model directory, see base::kind_of_model().
inline constexpr const char* kClassifierKind = "classifier";

/// The fields of [model] for a pre-trained encoder, whose token vectors take the place of the
/// embedding.
struct PretrainedFields {
  std::string folder;  ///< empty: none
  std::int64_t trainable_layers = 0;
  double learning_rate_factor = 0.03;
  double layer_factor = 1;
  std::int64_t chunk_tokens = 256;
  std::int64_t chunk_overlap = 64;
  BertConfig bert;  ///< shape of the encoder; not a field of the section

  explicit operator bool() const { return !folder.empty(); }
  /// Largest number of tokens of a chunk that the encoder reads at once, and how many two chunks
  /// share.
  std::int64_t chunk_limit() const { return std::min(chunk_tokens, bert.max_positions); }
  std::int64_t shared_tokens() const { return std::min(chunk_overlap, (chunk_limit() - 2) / 2); }

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

/// The [model] section of a classifier: in its recipe, and in the config.json of its directory.
struct ClassifierConfig {
  TextEncoderConfig text;
  PretrainedFields pretrained;
  double token_dropout = 0;

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;

  /// The preset that the section names, overridden by the other fields of the section. With a
  /// pre-trained encoder, `width` is its width by default, and there are no positions. Throws as
  /// ConfigTree::read_section and BertConfig::of_model do.
  static ClassifierConfig read(const base::ConfigTree& tree);
};

/// The section [classifier] of a model directory's config.json.
struct ClassifierLabels {
  std::vector<std::string> labels;  ///< the classes, in the order of the logits
  std::int64_t max_tokens = 0;      ///< documents are truncated to this length; 0: no limit
  bool multi_label = false;         ///< whether a document has any number of labels
  bool linear_members = false;      ///< whether linear.safetensors belongs to the model

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

}  // namespace fastformer::model
