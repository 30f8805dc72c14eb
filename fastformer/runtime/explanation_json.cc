#include "fastformer/runtime/explanation_json.h"

#include <cstddef>
#include <nlohmann/json.hpp>

#include "fastformer/base/json_text.h"

namespace fastformer::runtime {
namespace {

using Json = nlohmann::ordered_json;

double at_or_zero(const std::vector<double>& values, std::size_t i) {
  return i < values.size() ? values[i] : 0;
}

Json weights_of(const Explanation& explanation) {
  auto tokens = Json::array();
  for (std::size_t i = 0; i < explanation.tokens.size(); ++i) {
    Json token = {{"token", explanation.tokens[i]},
                  {"pooling", explanation.pooling_weights[i]},
                  {"layers", Json::array()}};
    for (const auto& layer : explanation.layers) {
      token["layers"].push_back({{"query", at_or_zero(layer.query_weights, i)},
                                 {"key", at_or_zero(layer.key_weights, i)}});
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

Json list_of(const std::vector<std::pair<std::string, double>>& ngrams) {
  auto list = Json::array();
  for (const auto& [ngram, added] : ngrams) list.push_back({{"ngram", ngram}, {"added", added}});
  return list;
}

Json ngrams_of(const Classifier& classifier, std::string_view text,
               const Explanation& explanation) {
  if (!classifier.frame().several_labels()) return list_of(explanation.ngrams);
  auto lists = Json::object();
  for (const auto& label : explanation.prediction.labels) {
    lists[label] = list_of(classifier.ngrams(text, label));
  }
  return lists;
}

}  // namespace

std::string token_weights_json(const Explanation& explanation) {
  return base::json_text(weights_of(explanation));
}

std::string ngrams_json(const Classifier& classifier, std::string_view text,
                        const Explanation& explanation) {
  return base::json_text(ngrams_of(classifier, text, explanation));
}

std::string explanation_json(const Classifier& classifier, std::string_view text) {
  const auto explanation = classifier.explain(text);
  const auto& prediction = explanation.prediction;
  const auto& frame = classifier.frame();
  Json json;
  if (frame.several_labels()) {
    json["labels"] = prediction.labels;
  } else {
    json["label"] = prediction.label;
  }
  // An ordered object looks through all its names to find one; labels are distinct.
  Json probabilities = Json::object();
  auto& members = probabilities.get_ref<Json::object_t&>();
  for (std::size_t i = 0; i < frame.labels.size(); ++i) {
    members.emplace_back(frame.labels[i], prediction.probabilities[i]);
  }
  json["probabilities"] = std::move(probabilities);
  json["tokens"] = weights_of(explanation);
  json["ngrams"] = ngrams_of(classifier, text, explanation);
  return base::json_text(json);
}

}  // namespace fastformer::runtime
