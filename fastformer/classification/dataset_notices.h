#pragma once

#include <string>
#include <vector>

#include "fastformer/classification/dataset.h"

namespace fastformer::classification {

/// What is odd about the tokens of a data set, a sentence each: texts of one token, many tokens
/// that the vocabulary does not know.
std::vector<std::string> token_notices(const Dataset& dataset);

}  // namespace fastformer::classification
