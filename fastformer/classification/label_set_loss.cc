#include "fastformer/classification/label_set_loss.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace fastformer::classification {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Of a mean over documents, with gradients of the logits that are known already.
struct KnownGradient : public Function<KnownGradient> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& /*logits*/,
                            const at::Tensor& loss, const at::Tensor& gradient) {
    context->save_for_backward({gradient});
    return loss.clone();
  }
  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    return {context->get_saved_variables()[0] * outputs[0], at::Tensor(), at::Tensor()};
  }
};

}  // namespace

LabelSetLoss::LabelSetLoss(const LossConfig& config, std::span<const std::int64_t> label_counts,
                           std::int64_t documents)
    : smoothing_(config.label_smoothing) {
  if (label_counts.empty()) throw std::invalid_argument("a loss needs the counts of its labels");
  if (config.prior_adjustment > 0) {
    throw std::invalid_argument(
        "train.prior_adjustment is for classes that exclude each other; with several labels per "
        "document it must be 0");
  }
  const auto total = static_cast<double>(documents);
  const bool balanced = config.class_weights == ClassWeights::kBalanced;
  for (const auto count : label_counts) {
    const auto with = static_cast<double>(count);
    with_label_.push_back(balanced ? total / (2 * std::max(1.0, with)) : 1);
    without_label_.push_back(balanced ? total / (2 * std::max(1.0, total - with)) : 1);
  }
}

at::Tensor LabelSetLoss::forward(const at::Tensor& logits, const data::TokenBatch& labels) const {
  const auto values = logits.detach().contiguous();
  const auto gradient = at::empty_like(values);
  const auto classes = static_cast<std::size_t>(values.size(1));
  const auto documents = static_cast<double>(values.size(0));
  double sum = 0;
  AT_DISPATCH_FLOATING_TYPES(values.scalar_type(), "label_set_loss", [&] {
    const auto* z = values.const_data_ptr<scalar_t>();
    auto* out = gradient.mutable_data_ptr<scalar_t>();
    for (std::int64_t row = 0; row < labels.size(); ++row, z += classes, out += classes) {
      const auto own = labels.sequence(row);
      auto label = own.begin();
      for (std::size_t c = 0; c < classes; ++c) {
        const bool positive = label != own.end() && static_cast<std::size_t>(*label) == c;
        if (positive) ++label;
        const double weight = positive ? with_label_[c] : without_label_[c];
        const double target = positive ? 1 - smoothing_ / 2 : smoothing_ / 2;
        const double logit = z[c], small = std::exp(-std::abs(logit));
        const double p = (logit >= 0 ? 1 : small) / (1 + small);
        sum += weight * (std::max(logit, 0.0) + std::log1p(small) - target * logit);
        out[c] = static_cast<scalar_t>(weight * (p - target) / documents);
      }
    }
  });
  return KnownGradient::apply(logits, at::scalar_tensor(sum / documents, values.options()),
                              gradient);
}

at::Tensor prior_logits(std::span<const std::int64_t> label_counts, std::int64_t documents) {
  constexpr double kHalf = 0.5;  // no label has the frequency 0 or 1
  std::vector<double> logits;
  for (const auto count : label_counts) {
    const auto with = static_cast<double>(count);
    logits.push_back(std::log((with + kHalf) / (static_cast<double>(documents) - with + kHalf)));
  }
  return at::tensor(logits, at::kDouble);
}

}  // namespace fastformer::classification
