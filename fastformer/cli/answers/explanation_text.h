#pragma once

#include <string>
#include <vector>

#include "fastformer/classification/classifier.h"

namespace fastformer::cli {

/// The tokens, the heavier ones in stronger colours when `color`, followed by the five heaviest
/// with their weights in the pooling and in each layer.
std::string explanation_text(const Explanation& explanation, bool color);

/// A JSON array: {"token", "pooling", "layers": [{"query", "key"}]} for each token.
std::string explanation_json(const Explanation& explanation);

}  // namespace fastformer::cli
