#pragma once

#include <memory>

#include "fastformer/classification/classifier_model.h"
#include "fastformer/runtime/network.h"

namespace fastformer::classification {

/// The network of a classifier by LibTorch: with any mixer and any precision.
class TorchNetwork final : public runtime::Network {
 public:
  explicit TorchNetwork(std::unique_ptr<ClassifierModel> model) : model_(std::move(model)) {}

  std::int64_t width() const override { return model_->config().text.encoder.width; }
  /// Batches of at most Options::max_batch_tokens, where an empty text counts as one token. Throws
  /// std::runtime_error if a computation fails.
  std::vector<double> logits(const runtime::TokenRows& texts, const Options& options,
                             runtime::NetworkTrace* trace) const override;
  std::vector<float> vectors(const runtime::TokenRows& texts,
                             const Options& options) const override;

 private:
  std::unique_ptr<const ClassifierModel> model_;
};

}  // namespace fastformer::classification
