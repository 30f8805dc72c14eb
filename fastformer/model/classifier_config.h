#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/model/text_encoder_config.h"

namespace fastformer::model {

/// The kind of a classifier's model directory, see base::kind_of_model().
inline constexpr const char* kClassifierKind = "classifier";

/// The [model] section of a classifier: in its recipe, and in the config.json of its directory.
struct ClassifierConfig {
  TextEncoderConfig text;
  double token_dropout = 0;

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const { text.validate(); }

  /// The preset that the section names, overridden by the other fields of the section. Throws as
  /// ConfigTree::read_section does.
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
