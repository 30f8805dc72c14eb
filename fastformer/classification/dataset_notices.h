#pragma once

#include <string>
#include <vector>

#include "fastformer/classification/dataset.h"

namespace fastformer::classification {

/// Notices about unusual tokens of a data set, one sentence each: texts of one token, many tokens
/// that are not in the vocabulary.
std::vector<std::string> token_notices(const Dataset& dataset);

}  // namespace fastformer::classification
