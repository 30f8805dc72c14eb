#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fastformer/runtime/prediction.h"

namespace fastformer::cli {

/// The tokens, the heavier ones in stronger colours when `color`, followed by the five heaviest
/// with their weights in the pooling and in each layer.
std::string explanation_text(const Explanation& explanation, bool color);

/// "  title: oil +1.234 ..." with the five n-grams that add most, in a line; empty without n-grams.
std::string ngrams_text(const std::string& title,
                        const std::vector<std::pair<std::string, double>>& ngrams);

}  // namespace fastformer::cli
