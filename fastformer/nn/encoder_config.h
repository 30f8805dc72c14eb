#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::nn {

/// The mixers there are, see `mixer.h`, in the order of the alphabet.
std::vector<std::string> mixer_names();

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
  bool causal = false;
  std::int64_t projection = 16;
  std::int64_t projection_length = 512;
  std::string projection_sharing = "heads";
  std::int64_t window = 64;
  std::int64_t global_tokens = 8;
  std::int64_t block_size = 16;
  std::int64_t random_tokens = 8;
  std::int64_t random_seed = 0;
  std::string global_kind = "internal";
  std::int64_t pooled_window = 256;
  std::int64_t pooling_kernel = 5;
  std::int64_t pooling_stride = 4;
  std::string pooling = "mean";
  std::string pooling_residual = "sum";

  bool shares(const std::string& what) const;

  void visit_fields(base::FieldVisitor& visit) {
    visit("mixer", mixer, "how tokens exchange information", base::one_of(mixer_names()));
    visit("layers", layers, "encoder layers", base::between(0, 1000));
    visit("width", width, "numbers a token", base::between(1, 65536));
    visit("heads", heads, "attention heads; divides width", base::between(1, 65536));
    visit("ffn_width", ffn_width, "inner width of the feed-forward block; 0: no such block",
          base::between(0, 1 << 20));
    visit("activation", activation, "of the feed-forward block",
          base::one_of({"gelu", "relu"}));
    visit("normalization", normalization, "layer normalisation before or after each block",
          base::one_of({"pre", "post", "none"}));
    visit("residual", residual, "add each block's input to its output");
    visit("output_projection", output_projection, "a linear layer after the attention");
    visit("dropout", dropout, "share of the numbers set to zero while training",
          base::between(0, 0.99));
    visit("logits", logits, "what an attention logit sees: all columns, or its head's own",
          base::one_of({"full", "per_head"}));
    visit("interaction", interaction, "how global and token vectors meet",
          base::one_of({"product", "add", "concat"}));
    visit("sharing", sharing, "parameters used twice: query_value, heads, layers");
    visit("form", form, "how additive attention is computed; all forms give equal results",
          base::one_of({"auto", "direct", "shared_query", "merged"}));
    visit("causal", causal, "a token sees none behind itself; for the mixers softmax, linear");
    visit("projection", projection, "rows to which low_rank projects keys and values",
          base::between(1, 65536));
    visit("projection_length", projection_length, "longest sequence that low_rank can take",
          base::between(1, 1 << 20));
    visit("projection_sharing", projection_sharing,
          "what shares a projection of low_rank: nothing, the heads of a layer, also its keys and "
          "values, or all layers",
          base::one_of({"none", "heads", "key_value", "layers"}));
    visit("window", window, "tokens that a token sees around itself, half on each side",
          base::between(0, 1 << 20));
    visit("global_tokens", global_tokens,
          "first tokens of a sequence that see all others and are seen by all; for sliding_window "
          "and block_sparse",
          base::between(0, 1 << 20));
    visit("block_size", block_size,
          "tokens of a block of block_sparse, whose window, global and random tokens are whole "
          "blocks",
          base::between(1, 1 << 20));
    visit("random_tokens", random_tokens,
          "tokens that a block of block_sparse sees at random places", base::between(0, 1 << 20));
    visit("random_seed", random_seed, "of the random places of block_sparse",
          base::at_least(0));
    visit("global_kind", global_kind,
          "what is global in block_sparse: the first tokens, or rows of its own before them",
          base::one_of({"internal", "external"}));
    visit("pooled_window", pooled_window,
          "tokens whose pooled keys a token of the mixer pooling sees, half on each side",
          base::between(0, 1 << 20));
    visit("pooling_kernel", pooling_kernel, "tokens that the mixer pooling pools into one",
          base::between(1, 65536));
    visit("pooling_stride", pooling_stride, "tokens from one pool to the next",
          base::between(1, 65536));
    visit("pooling", pooling, "how the mixer pooling pools keys and values",
          base::one_of({"mean", "max", "dynamic"}));
    visit("pooling_residual", pooling_residual,
          "what becomes of the first level of the mixer pooling: added to the second, or dropped",
          base::one_of({"sum", "none"}));
  }
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

/// `authors_code`: the published code. `paper`: the text of the paper (arXiv 2108.09084).
/// Throws std::invalid_argument for another name.
EncoderConfig encoder_preset(const std::string& name);

}  // namespace fastformer::nn
