#pragma once

#include <span>
#include <vector>

#include "fastformer/linear/targets.h"

namespace fastformer::classification {

/// The threshold of each label that has the largest F1 on documents with these logits
/// [documents, labels]. Few documents would decide by chance: a label that fewer than 10 documents
/// have gets the threshold that is best for all labels together (the largest micro-F1).
std::vector<double> choose_thresholds(std::span<const double> logits,
                                      const linear::Targets& targets);

}  // namespace fastformer::classification
