#include "fastformer/classification/authors_names.h"

#include <array>
#include <stdexcept>
#include <utility>

#include "fastformer/classification/classifier_model.h"
#include "fastformer/nn/tensor_file.h"

namespace fastformer::classification {
namespace {

struct Pair {
  const char* ours;
  const char* authors;
};

constexpr std::array kOutside = {
    Pair{"embedding.token", "word_embedding"},
    Pair{"embedding.position", "fastformer_model.position_embeddings"},
    Pair{"embedding.normalization", "fastformer_model.LayerNorm"},
    Pair{"pooling.projection", "fastformer_model.poolers.0.att_fc1"},
    Pair{"pooling.logits", "fastformer_model.poolers.0.att_fc2"},
    Pair{"classifier", "dense_linear"},
};

constexpr Pair kLayers = {"encoder.layers.", "fastformer_model.encoders."};

constexpr std::array kLayer = {
    Pair{"attention.query", "attention.self.query"},
    Pair{"attention.query_logits", "attention.self.query_att"},
    Pair{"attention.key", "attention.self.key"},
    Pair{"attention.key_logits", "attention.self.key_att"},
    Pair{"attention.transform", "attention.self.transform"},
    Pair{"attention.output", "attention.output.dense"},
    Pair{"attention.normalization", "attention.output.LayerNorm"},
    Pair{"feed_forward.input", "intermediate.dense"},
    Pair{"feed_forward.output", "output.dense"},
    Pair{"feed_forward.normalization", "output.LayerNorm"},
};

using Side = const char* Pair::*;

template <std::size_t N>
const char* find(const std::array<Pair, N>& table, const std::string& module, Side from, Side to) {
  for (const auto& row : table) {
    if (module == row.*from) return row.*to;
  }
  return nullptr;
}

// "<module>.<weight or bias>"; a module inside a layer has the number of the layer before it.
std::string translate(const std::string& name, Side from, Side to) {
  const auto dot = name.rfind('.');
  if (dot != std::string::npos) {
    const auto module = name.substr(0, dot), kind = name.substr(dot);
    if (const auto* found = find(kOutside, module, from, to)) return found + kind;
    const std::string prefix = kLayers.*from;
    const auto number = module.find('.', prefix.size());
    if (module.starts_with(prefix) && number != std::string::npos) {
      const auto* found = find(kLayer, module.substr(number + 1), from, to);
      const auto index = module.substr(prefix.size(), number + 1 - prefix.size());
      if (found != nullptr) return kLayers.*to + index + found + kind;
    }
  }
  throw std::invalid_argument("the parameter '" + name +
                              "' has no counterpart in the other format; only the published "
                              "architecture (preset authors_code) can be converted");
}

nn::ParameterMap translate_all(const nn::ParameterMap& parameters, Side from, Side to) {
  nn::ParameterMap result;
  for (const auto& [name, tensor] : parameters) result[translate(name, from, to)] = tensor;
  return result;
}

}  // namespace

nn::ParameterMap to_authors_names(const nn::ParameterMap& parameters) {
  return translate_all(parameters, &Pair::ours, &Pair::authors);
}

nn::ParameterMap from_authors_names(const nn::ParameterMap& state) {
  return translate_all(state, &Pair::authors, &Pair::ours);
}

void export_weights(const std::filesystem::path& model, const std::filesystem::path& output) {
  const auto content = ClassifierContent::load(model);
  nn::save_tensors(output, to_authors_names(content.model->parameters()), {{"format", "pt"}});
}

void import_weights(const std::filesystem::path& state, const std::filesystem::path& model,
                    const std::filesystem::path& output) {
  const auto content = ClassifierContent::load(model);
  const auto weights = from_authors_names(nn::load_tensors(state).tensors);
  nn::assign(content.model->parameters(), weights, state.string());
  for (const auto& [name, tensor] : weights) {
    nn::check_finite(tensor, state.string() + ": the parameter '" + name + "'");
  }
  save_classifier(
      output,
      {content.labels, content.max_tokens, content.data_config, *content.tokenizer, *content.model,
       /*linear=*/std::nullopt, content.thresholds},
      "# Text classifier\n\nWeights converted from " + state.filename().string() + ".\n");
}

}  // namespace fastformer::classification
