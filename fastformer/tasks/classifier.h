#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/tasks/model_directory.h"

namespace fastformer::tasks {

/// What a classifier says about one text.
struct Prediction {
  std::string label;
  std::vector<double> probabilities;  ///< in the order of Classifier::labels()
};

/// The weights behind a prediction. Attention weights are averages over the heads.
struct Explanation {
  struct Layer {
    std::vector<double> query_weights;  ///< alpha of each token; sums to 1
    std::vector<double> key_weights;    ///< beta of each token; sums to 1
  };
  Prediction prediction;
  std::vector<std::string> tokens;
  std::vector<double> pooling_weights;  ///< of each token; sums to 1
  std::vector<Layer> layers;
};

/// A trained model, ready to be asked.
///
///   const auto classifier = tasks::Classifier::load("runs/ag_news/model");
///   const auto prediction = classifier.classify("Oil prices fall again");
///   std::cout << prediction.label << '\n';
///
/// Immutable; safe to share by threads.
class Classifier {
 public:
  /// Throws std::invalid_argument as load_model() does.
  static Classifier load(const std::filesystem::path& directory);

  Prediction classify(std::string_view text) const;
  /// All texts in one ragged batch: no padding, so lengths may differ as they like.
  std::vector<Prediction> classify(std::span<const std::string> texts) const;
  Explanation explain(std::string_view text) const;

  const std::vector<std::string>& labels() const { return content_.format.labels; }
  const ModelDirectory& content() const { return content_; }

 private:
  explicit Classifier(ModelDirectory content) : content_(std::move(content)) {}

  data::RaggedBatch encode(std::span<const std::string_view> texts) const;
  std::vector<Prediction> predictions(const at::Tensor& logits) const;
  std::size_t limit() const;

  ModelDirectory content_;
};

}  // namespace fastformer::tasks
