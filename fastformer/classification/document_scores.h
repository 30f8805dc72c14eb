#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/dataset.h"
#include "fastformer/linear/linear_part.h"

namespace fastformer::classification {

/// Runs the network and the linear members over documents, in batches of similar length, and calls
/// `use` with the rows of each batch and their scores. The n-grams of `documents` are those of
/// `linear`, which may be null.
void for_each_scored_batch(const LabelledCorpus& documents, const ClassifierModel& network,
                           const linear::LinearModel* linear,
                           const std::function<void(std::span<const std::int64_t> rows,
                                                    const linear::MemberScores&)>& use);

/// The numbers of a tensor, row by row.
std::vector<double> doubles_of(const at::Tensor& tensor);

/// The names of the members in tables, the network first; empty without linear members, since the
/// network is then the whole model.
std::vector<std::string> member_names(const linear::LinearPart* linear);

/// Scores of each member on documents, in their order.
linear::MemberScores scores_of(const LabelledCorpus& documents, const ClassifierModel& network,
                               const linear::LinearModel* linear);

}  // namespace fastformer::classification
