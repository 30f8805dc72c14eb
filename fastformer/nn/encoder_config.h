#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::nn {

/// The encoder's part of the recipe's [model] section. Defaults: the preset `authors_code`.
struct EncoderConfig {
  std::string mixer = "additive";
  std::int64_t layers = 2;
  std::int64_t width = 256;
  std::int64_t heads = 16;
  std::int64_t ffn_width = 256;
  std::string activation = "gelu";
  std::string normalization = "post";
  bool residual = true;
  bool output_projection = true;
  double dropout = 0.2;
  std::string logits = "full";
  std::string interaction = "product";
  std::vector<std::string> sharing = {"query_value"};
  std::string form = "auto";

  bool shares(const std::string& what) const;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor&& visit) {
    visit("mixer", self.mixer, "how tokens exchange information", base::one_of({"additive"}));
    visit("layers", self.layers, "encoder layers", base::between(0, 1000));
    visit("width", self.width, "numbers a token", base::between(1, 65536));
    visit("heads", self.heads, "attention heads; divides width", base::between(1, 65536));
    visit("ffn_width", self.ffn_width, "inner width of the feed-forward block; 0: no such block",
          base::between(0, 1 << 20));
    visit("activation", self.activation, "of the feed-forward block",
          base::one_of({"gelu", "relu"}));
    visit("normalization", self.normalization, "layer normalisation before or after each block",
          base::one_of({"pre", "post", "none"}));
    visit("residual", self.residual, "add each block's input to its output");
    visit("output_projection", self.output_projection, "a linear layer after the attention");
    visit("dropout", self.dropout, "share of the numbers set to zero while training",
          base::between(0, 0.99));
    visit("logits", self.logits, "what an attention logit sees: all columns, or its head's own",
          base::one_of({"full", "per_head"}));
    visit("interaction", self.interaction, "how global and token vectors meet",
          base::one_of({"product", "add", "concat"}));
    visit("sharing", self.sharing, "parameters used twice: query_value, heads, layers");
    visit("form", self.form, "how additive attention is computed; all forms give equal results",
          base::one_of({"auto", "direct", "shared_query", "merged"}));
  }
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

/// `authors_code`: the published code. `paper`: the text of the paper (arXiv 2108.09084).
/// Throws std::invalid_argument for another name.
EncoderConfig encoder_preset(const std::string& name);

}  // namespace fastformer::nn
