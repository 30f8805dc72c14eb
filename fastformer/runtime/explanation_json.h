#pragma once

#include <string>
#include <string_view>

#include "fastformer/runtime/classifier.h"

namespace fastformer::runtime {

/// A JSON array: {"token", "pooling", "layers": [{"query", "key"}]} for each token.
std::string token_weights_json(const Explanation& explanation);

/// An array: {"ngram", "added"} for each n-gram and the label of the explanation; with several
/// labels per text an object with such an array for each of them.
std::string ngrams_json(const Classifier& classifier, std::string_view text,
                        const Explanation& explanation);

/// The prediction for a text and its explanation, as one JSON object: {"label",
/// "probabilities": {label: number}, "tokens": token_weights_json(), "ngrams": ngrams_json()}.
/// With several labels per text: "labels" instead of "label".
std::string explanation_json(const Classifier& classifier, std::string_view text);

}  // namespace fastformer::runtime
