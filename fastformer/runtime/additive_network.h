#pragma once

#include <filesystem>

#include "fastformer/model/classifier_config.h"
#include "fastformer/runtime/network.h"
#include "fastformer/runtime/text_encoder.h"

namespace fastformer::runtime {

/// The network of a classifier with additive attention. The embedding tables stay in the mapped
/// file.
class AdditiveNetwork final : public Network {
 public:
  /// `precision` is that of products with the rows of tokens; layers of 8 bits keep 8 bits. Throws
  /// std::invalid_argument for a file that is damaged or does not match the configuration.
  AdditiveNetwork(const model::ClassifierConfig& config, std::int64_t vocabulary_size,
                  std::int64_t classes, const std::filesystem::path& weights,
                  kernels::Precision precision = kernels::Precision::kFp32);

  /// Whether this class supports the configuration.
  static bool serves(const model::ClassifierConfig& config) {
    return config.text.encoder.mixer.name() == "additive" && !config.pretrained;
  }

  std::int64_t width() const override { return encoder_.width(); }
  std::vector<double> logits(const TokenRows& texts, const Options& options,
                             NetworkTrace* trace) const override;
  std::vector<float> vectors(const TokenRows& texts, const Options& options) const override;

 private:
  model::ParameterFile file_;
  TextEncoder encoder_;
  Linear classifier_;
};

}  // namespace fastformer::runtime
