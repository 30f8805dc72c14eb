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
  /// A sentence for each part in which more than one text, and at least one in a hundred, is a
  /// training text.
  std::vector<std::string> notices() const;

 private:
  std::array<std::vector<std::size_t>, 3> parts_;  ///< hashes of the texts, by data::Part
};

/// Notices about a part that is empty although its fraction is above 0, and about labels that
/// differ only in case.
std::vector<std::string> part_notices(const DataConfig& config, const Dataset& dataset);

/// Notices about unusual tokens of a data set, one sentence each: texts of one token, many tokens
/// that are not in the vocabulary, many truncated texts.
std::vector<std::string> token_notices(const Dataset& dataset);

}  // namespace fastformer::classification
