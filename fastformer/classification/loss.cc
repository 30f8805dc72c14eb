#include "fastformer/classification/loss.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace fastformer::classification {

void LossConfig::visit_fields(base::FieldVisitor& visit) {
  visit("label_smoothing", label_smoothing,
        "label smoothing: share of the target distributed over all classes",
        base::between(0, 0.99));
  visit("class_weights", class_weights,
        "weight of a class in the loss: equal, or inverse to its frequency");
  visit("prior_adjustment", prior_adjustment,
        "logit adjustment: multiple of the log class frequencies added to the training logits; 1 "
        "optimizes balanced accuracy",
        base::between(0, 10));
  visit("adversarial", adversarial,
        "adversarial training: length of the change to the token vectors of a document that raises "
        "the loss most, relative to their length; takes two passes per step; 0: none",
        base::between(0, 1));
}

ClassificationLoss::ClassificationLoss(const LossConfig& config,
                                       std::span<const std::int64_t> class_counts)
    : config_(config) {
  if (class_counts.empty()) throw std::invalid_argument("a loss needs the counts of its classes");
  const double total = std::accumulate(class_counts.begin(), class_counts.end(), 0.0);
  std::vector<double> weights, prior;
  for (const auto class_count : class_counts) {
    const double count = std::max<double>(1, static_cast<double>(class_count));
    weights.push_back(total / (static_cast<double>(class_counts.size()) * count));
    prior.push_back(config.prior_adjustment * std::log(count / total));
  }
  if (config.class_weights == ClassWeights::kBalanced) weights_ = at::tensor(weights, at::kDouble);
  if (config.prior_adjustment > 0) prior_ = at::tensor(prior, at::kDouble);
}

at::Tensor ClassificationLoss::forward(const at::Tensor& logits,
                                       std::span<const std::int32_t> labels) const {
  auto targets = at::empty({static_cast<std::int64_t>(labels.size())}, at::kLong);
  std::copy(labels.begin(), labels.end(), targets.mutable_data_ptr<std::int64_t>());
  const auto adjusted = prior_.defined() ? logits + prior_.to(logits.scalar_type()) : logits;
  const auto weights = weights_.defined() ? weights_.to(logits.scalar_type()) : weights_;
  return at::cross_entropy_loss(adjusted, targets, weights, at::Reduction::Mean,
                                /*ignore_index=*/-100, config_.label_smoothing);
}

}  // namespace fastformer::classification
