#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::tasks {

/// The recipe's fields on the loss.
struct LossConfig {
  double label_smoothing = 0;
  std::string class_weights = "none";
  double prior_adjustment = 0;

  void visit_fields(base::FieldVisitor& visit) {
    visit("label_smoothing", label_smoothing, "share of the target spread over all classes",
          base::between(0, 0.99));
    visit("class_weights", class_weights,
          "weight of a class in the loss: equal, or inverse to its frequency",
          base::one_of({"none", "balanced"}));
    visit("prior_adjustment", prior_adjustment,
          "how much of the log class frequencies the training logits get; 1 aims at balanced "
          "accuracy",
          base::between(0, 10));
  }
};

/// Cross-entropy of logits adjusted by the class frequencies p of the training set:
///   loss = mean over the batch of  w_y * CE(z + tau log p, y with label smoothing)
/// tau = prior_adjustment (Menon et al., arXiv 2007.07314): the model learns what is left when the
/// frequencies are taken out, which suits a test set of other frequencies. Balanced weights are
/// scikit-learn's, N / (C N_y); the mean is weighted then, as in PyTorch.
///
///   const ClassificationLoss loss(config, class_counts);
///   loss.forward(logits, batch.labels).backward();
class ClassificationLoss {
 public:
  /// `class_counts` [C], those of the training set. Throws std::invalid_argument when it is empty.
  ClassificationLoss(const LossConfig& config, std::span<const std::int64_t> class_counts);

  /// logits [B, C], labels [B] -> scalar.
  at::Tensor forward(const at::Tensor& logits, std::span<const std::int32_t> labels) const;

 private:
  LossConfig config_;
  at::Tensor weights_;  ///< [C], undefined: all 1
  at::Tensor prior_;    ///< [C], undefined: no adjustment
};

}  // namespace fastformer::tasks
