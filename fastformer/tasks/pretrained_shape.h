#pragma once

#include <string>

#include "fastformer/base/config_field.h"
#include "fastformer/nn/bert_config.h"

namespace fastformer::tasks {

/// The [pretrained] section of a model's config.json: the shape of the pre-trained encoder within
/// it, so that the model can be loaded without the folder that the encoder came from.
class PretrainedShape {
 public:
  PretrainedShape() = default;
  explicit PretrainedShape(const nn::BertConfig& config);

  nn::BertConfig config() const;

  void visit_fields(base::FieldVisitor& visit) {
    auto& bert = bert_;
    visit("vocabulary_size", bert.vocabulary_size, "tokens", base::at_least(1));
    visit("width", bert.width, "numbers a token", base::at_least(1));
    visit("layers", bert.layers, "layers", base::at_least(0));
    visit("heads", bert.heads, "heads of attention", base::at_least(1));
    visit("ffn_width", bert.ffn_width, "inner width of the feed-forward part", base::at_least(1));
    visit("max_positions", bert.max_positions, "tokens of the longest text", base::at_least(1));
    visit("token_types", bert.token_types, "types of tokens", base::at_least(1));
    visit("activation", activation_, "of the feed-forward part",
          base::one_of({"gelu", "gelu_tanh", "relu"}));
    visit("epsilon", bert.epsilon, "added to the variance of a norm", base::between(0, 1));
    visit("dropout", bert.dropout, "share of zeros while training", base::between(0, 0.99));
    visit("attention_dropout", bert.attention_dropout, "share of weights dropped while training",
          base::between(0, 0.99));
  }
  /// Throws std::invalid_argument with one sentence.
  void validate() const;

 private:
  nn::BertConfig bert_;
  std::string activation_ = "gelu";
};

}  // namespace fastformer::tasks
