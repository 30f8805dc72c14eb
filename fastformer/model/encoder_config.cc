#include "fastformer/model/encoder_config.h"

#include <stdexcept>
#include <string>

#include "fastformer/model/additive_fields.h"

namespace fastformer::model {

void EncoderConfig::visit_fields(base::FieldVisitor& visit) {
  visit("width", width, "hidden size: width of the vector of a token", base::between(1, 65536));
  visit_all_but_width(visit);
}

void EncoderConfig::visit_all_but_width(base::FieldVisitor& visit) {
  visit.table("mixer", mixer, "attention between the tokens");
  visit("layers", layers, "encoder layers", base::between(0, 1000));
  visit("heads", heads, "attention heads; must divide width", base::between(1, 65536));
  visit("ffn_width", ffn_width, "hidden width of the feed-forward block; 0: no feed-forward block",
        base::between(0, 1 << 20));
  visit("activation", activation, "activation function of the feed-forward block");
  visit("normalization", normalization,
        "position of the layer normalization: after (post) or before (pre) each block, or none");
  visit("residual", residual, "add each block's input to its output");
  visit("output_projection", output_projection, "linear layer after the attention");
  visit("dropout", dropout, "dropout rate", base::between(0, 0.99));
  visit("share_layers", share_layers, "all layers share the parameters of the first");
}

void EncoderConfig::validate() const {
  if (width % heads != 0) {
    throw std::invalid_argument("width = " + std::to_string(width) +
                                " must be a multiple of heads = " + std::to_string(heads));
  }
  mixer.validate();
}

EncoderConfig encoder_preset(Preset preset) {
  EncoderConfig config;
  if (preset == Preset::kAuthorsCode) return config;
  config.mixer.fields<AdditiveFields>().logits = LogitColumns::kPerHead;
  config.ffn_width = 0;
  config.normalization = Normalization::kNone;
  config.residual = false;
  config.output_projection = false;
  config.share_layers = true;
  return config;
}

}  // namespace fastformer::model
