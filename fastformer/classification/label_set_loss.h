#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/classification/loss.h"
#include "fastformer/data/batch.h"

namespace fastformer::classification {

/// Cross-entropy of labels that do not exclude each other, each with a sigmoid of its own:
///   loss = mean over the documents of the sum over the labels c of w_c (softplus(z_c) - t_c z_c)
/// t_c = 1 - s / 2 for the labels of the document and s / 2 for the others, s = label_smoothing.
/// The weights are 1, or the balanced ones of scikit-learn for each label alone: N / (2 N_c) for
/// the documents that have the label and N / (2 (N - N_c)) for the others.
///
///   const LabelSetLoss loss(config, label_counts, documents);
///   loss.forward(logits, batch.labels).backward();
class LabelSetLoss {
 public:
  /// `label_counts` [C]: those of the `documents` of the training set. Throws std::invalid_argument
  /// if it is empty, and for prior_adjustment.
  LabelSetLoss(const LossConfig& config, std::span<const std::int64_t> label_counts,
               std::int64_t documents);

  /// logits [B, C], labels of B documents, ascending -> scalar. One pass over the logits computes
  /// loss and gradient.
  at::Tensor forward(const at::Tensor& logits, const data::TokenBatch& labels) const;

 private:
  double smoothing_;
  std::vector<double> with_label_, without_label_;  ///< [C] weights
};

/// The logits [C] of a model that knows the frequencies of the labels alone: ln(N_c / (N - N_c)).
at::Tensor prior_logits(std::span<const std::int64_t> label_counts, std::int64_t documents);

}  // namespace fastformer::classification
