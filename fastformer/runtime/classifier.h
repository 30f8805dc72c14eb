#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fastformer/base/vectors.h"
#include "fastformer/kernels/options.h"
#include "fastformer/runtime/classifier_frame.h"
#include "fastformer/runtime/network.h"
#include "fastformer/runtime/prediction.h"

namespace fastformer::runtime {

/// A trained text classifier with additive attention, without LibTorch.
///
///   const auto classifier = runtime::Classifier::load("runs/ag_news/model");
///   std::cout << classifier.classify("Oil prices fall again").label << '\n';
///
/// Immutable; safe to share between threads.
class Classifier {
 public:
  /// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
  /// damaged, or of another kind or version, and for a network with another mixer.
  static Classifier load(const std::filesystem::path& directory, const Options& options = {});
  /// Combines a frame with any network.
  Classifier(ClassifierFrame frame, std::unique_ptr<const Network> network, const Options& options);

  Prediction classify(std::string_view text) const;
  /// One prediction per text, in the order of `texts`. Options::max_batch_tokens bounds the memory.
  std::vector<Prediction> classify(std::span<const std::string> texts) const;
  /// Also adds the number of tokens that were read to `*tokens`.
  std::vector<Prediction> classify(std::span<const std::string_view> texts,
                                   std::int64_t* tokens = nullptr) const;
  /// The `k` most probable labels of a prediction with their probabilities, best first.
  std::vector<std::pair<std::string, double>> top(const Prediction& prediction,
                                                  std::size_t k) const {
    return frame_.top(prediction, k);
  }
  Explanation explain(std::string_view text) const;
  /// The contributions of word and character n-grams to the logit of a label, largest absolute
  /// value first. If a text has one class, the mean over all classes is subtracted. Empty without
  /// linear members. Throws std::invalid_argument for a label that the model does not have.
  std::vector<std::pair<std::string, double>> ngrams(std::string_view text,
                                                     std::string_view label) const {
    return frame_.ngrams(text, label);
  }
  /// One vector per text: [texts, width], for example to find similar documents.
  Vectors embed(std::span<const std::string> texts) const;
  Vectors embed(std::span<const std::string_view> texts, std::int64_t* tokens = nullptr) const;

  const ClassifierFrame& frame() const { return frame_; }
  const Network& network() const { return *network_; }

 private:
  struct Batch;
  template <class Text>
  void for_each_batch(std::span<const Text> texts, bool with_scores,
                      const std::function<void(const Batch&)>& use) const;
  template <class Text>
  std::vector<Prediction> classify_all(std::span<const Text> texts, std::int64_t* tokens) const;
  template <class Text>
  Vectors embed_all(std::span<const Text> texts, std::int64_t* tokens) const;

  ClassifierFrame frame_;
  std::unique_ptr<const Network> network_;
  Options options_;
};

}  // namespace fastformer::runtime
