#include "fastformer/nn/encoder_config.h"

#include <algorithm>
#include <stdexcept>

#include "fastformer/base/suggest.h"

namespace fastformer::nn {

bool EncoderConfig::shares(const std::string& what) const {
  return std::find(sharing.begin(), sharing.end(), what) != sharing.end();
}

void EncoderConfig::validate() const {
  if (width % heads != 0) {
    throw std::invalid_argument("model.width = " + std::to_string(width) +
                                " must be a multiple of model.heads = " + std::to_string(heads));
  }
  if (causal && mixer != "softmax" && mixer != "linear") {
    throw std::invalid_argument("model.causal needs the mixer softmax or linear, not '" + mixer +
                                "'");
  }
  if (mixer == "block_sparse" && global_kind == "external" && global_tokens == 0) {
    throw std::invalid_argument(
        "model.global_kind = external needs model.global_tokens of at least 1; without global "
        "tokens choose internal");
  }
  const std::vector<std::string> known = {"query_value", "heads", "layers"};
  for (const auto& name : sharing) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw std::invalid_argument("model.sharing holds '" + name + "'" +
                                  base::suggestion(name, known));
    }
  }
}

EncoderConfig encoder_preset(const std::string& name) {
  EncoderConfig config;
  if (name == "authors_code") return config;
  if (name == "paper") {
    config.logits = "per_head";
    config.sharing = {"query_value", "layers"};
    config.residual = false;
    config.output_projection = false;
    config.normalization = "none";
    config.ffn_width = 0;
    return config;
  }
  throw std::invalid_argument("model.preset is '" + name + "'" +
                              base::suggestion(name, {"authors_code", "paper"}));
}

}  // namespace fastformer::nn
