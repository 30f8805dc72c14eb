#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/classification/dataset.h"
#include "fastformer/data/splits.h"

namespace fastformer::classification {

/// Counts texts of the validation and test parts that are also among the training texts.
class TextOverlap {
 public:
  void add(std::string_view text, data::Part part);
  /// A sentence for each part in which at least one of a hundred texts, and not only one, is a
  /// training text.
  std::vector<std::string> notices() const;

 private:
  std::array<std::vector<std::size_t>, 3> parts_;  ///< hashes of the texts, by data::Part
};

/// What is odd about the tokens of a data set, a sentence each: texts of one token, many tokens
/// that the vocabulary does not know, many texts that are truncated.
std::vector<std::string> token_notices(const Dataset& dataset);

}  // namespace fastformer::classification
