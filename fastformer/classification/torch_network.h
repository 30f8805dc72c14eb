#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "fastformer/classification/classifier_model.h"
#include "fastformer/runtime/network.h"

namespace fastformer::classification {

/// The network of a classifier by LibTorch: with any mixer and any precision.
class TorchNetwork final : public runtime::Network {
 public:
  explicit TorchNetwork(std::unique_ptr<ClassifierModel> model) : model_(std::move(model)) {}

  std::int64_t width() const override { return model_->config().text.encoder.width; }
  /// In batches that end with the text that reaches Options::max_batch_tokens; an empty text counts
  /// as one token. Throws std::runtime_error if a computation fails.
  std::vector<double> logits(const runtime::TokenRows& texts, const Options& options,
                             runtime::NetworkTrace* trace) const override;
  std::vector<float> vectors(const runtime::TokenRows& texts,
                             const Options& options) const override;

 private:
  std::unique_ptr<const ClassifierModel> model_;
};

/// The network of a model directory: the runtime's if the mixer is additive, else LibTorch's.
/// Throws std::invalid_argument as its constructor does.
std::unique_ptr<const runtime::Network> load_network(const runtime::ClassifierDirectory& loaded,
                                                     const std::filesystem::path& directory,
                                                     const Options& options);

}  // namespace fastformer::classification
