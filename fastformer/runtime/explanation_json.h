#pragma once

#include <string>
#include <string_view>

#include "fastformer/runtime/classifier.h"

namespace fastformer::runtime {

/// A JSON array: {"token", "pooling", "layers": [{"query", "key"}]} for each token.
std::string token_weights_json(const Explanation& explanation);

/// The prediction for a text and its explanation, as one JSON object: {"label",
/// "probabilities": {label: number}, "tokens": token_weights_json(), "ngrams": [{"ngram",
/// "added"}]}. With several labels per text: "labels" instead of "label", and "ngrams": {label:
/// ...} for each of them.
std::string explanation_json(const Classifier& classifier, std::string_view text);

}  // namespace fastformer::runtime
