#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::classification {

/// How the loss weights the classes.
enum class ClassWeights : std::uint8_t { kNone, kBalanced };

/// The fields of section [train] that define the loss.
struct LossConfig {
  double label_smoothing = 0;
  ClassWeights class_weights = ClassWeights::kNone;
  double prior_adjustment = 0;
  double adversarial = 0;  ///< see classification/adversarial.h

  void visit_fields(base::FieldVisitor& visit);
};

/// Cross-entropy of logits z, adjusted by the class frequencies p of the training part:
///   loss = mean over the batch of  w_y * CE(z + tau log p, y with label smoothing)
/// tau = prior_adjustment (Menon et al., arXiv 2007.07314): the model then learns the classes
/// without their frequencies, for test data with other frequencies. Balanced weights are
/// scikit-learn's w_c = N / (C N_c); the mean is then weighted, as in PyTorch.
///
///   const ClassificationLoss loss(config, class_counts);
///   loss.forward(logits, batch.labels).backward();
class ClassificationLoss {
 public:
  /// `class_counts` [C]: rows of each class for training. Throws std::invalid_argument if empty.
  ClassificationLoss(const LossConfig& config, std::span<const std::int64_t> class_counts);

  /// logits [B, C], labels [B] -> the loss, a scalar.
  at::Tensor forward(const at::Tensor& logits, std::span<const std::int32_t> labels) const;

 private:
  LossConfig config_;
  at::Tensor weights_;  ///< [C], undefined: all 1
  at::Tensor prior_;    ///< [C], undefined: no adjustment
};

}  // namespace fastformer::classification

namespace fastformer::base {
template <>
inline constexpr std::array kWords<classification::ClassWeights> = {"none", "balanced"};
}  // namespace fastformer::base
