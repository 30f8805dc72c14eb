#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/dataset.h"
#include "fastformer/classification/pretrained/frozen_documents.h"
#include "fastformer/linear/linear_part.h"
#include "fastformer/runtime/network.h"

namespace fastformer::classification {

/// A network whose documents are scored: one that is trained, or one that predicts. Both must
/// outlive it.
class ScoredNetwork {
 public:
  ScoredNetwork(const ClassifierModel& model);  // NOLINT(google-explicit-constructor)
  /// `frozen`: of the same model; the documents are those of its parts.
  ScoredNetwork(const ClassifierModel& model, FrozenDocuments& frozen);
  ScoredNetwork(const runtime::Network& network, std::int64_t classes, const Options& options);

  std::int64_t classes() const { return classes_; }
  /// Logits [rows, classes] of the batch, which has the `rows` of `documents`.
  std::vector<double> logits(const data::TokenBatch& batch, const LabelledCorpus& documents,
                             std::span<const std::int64_t> rows) const {
    return logits_(batch, documents, rows);
  }

 private:
  using Logits = std::function<std::vector<double>(const data::TokenBatch&, const LabelledCorpus&,
                                                   std::span<const std::int64_t>)>;
  std::int64_t classes_;
  Logits logits_;
};

/// Runs the network and the linear members over documents, in batches of similar length, and calls
/// `use` with the rows of each batch and their scores. The n-grams of `documents` are those of
/// `linear`, which may be null.
void for_each_scored_batch(const LabelledCorpus& documents, const ScoredNetwork& network,
                           const linear::LinearModel* linear,
                           const std::function<void(std::span<const std::int64_t> rows,
                                                    const linear::MemberScores&)>& use);

/// The names of the members in tables, the network first; empty without linear members, since the
/// network is then the whole model.
std::vector<std::string> member_names(const linear::LinearPart* linear);

/// Scores of each member on documents, in their order.
linear::MemberScores scores_of(const LabelledCorpus& documents, const ScoredNetwork& network,
                               const linear::LinearModel* linear);

}  // namespace fastformer::classification
