#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fastformer/base/vectors.h"
#include "fastformer/kernels/options.h"
#include "fastformer/runtime/classifier.h"
#include "fastformer/runtime/prediction.h"

namespace fastformer {

namespace classification {
struct ClassifierContent;
struct DataConfig;
}  // namespace classification

/// A trained text classifier.
///
///   const auto classifier = fastformer::Classifier::load("runs/ag_news/model");
///   std::cout << classifier.classify("Oil prices fall again").label << '\n';
///
/// Additive attention in fp32 runs without LibTorch (runtime::Classifier), the rest with it.
/// Immutable; safe to share between threads. Throws std::runtime_error if a computation fails.
class Classifier {
 public:
  /// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
  /// damaged, or of another kind or version.
  static Classifier load(const std::filesystem::path& directory, const Options& options = {});
  /// Wraps a model in memory, for example from training.
  explicit Classifier(classification::ClassifierContent content, const Options& options = {});
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;
  ~Classifier();

  Prediction classify(std::string_view text) const;
  /// One prediction per text, in the order of `texts`. Options::max_batch_tokens bounds the memory.
  std::vector<Prediction> classify(std::span<const std::string> texts) const;
  /// The `k` most probable labels of a prediction with their probabilities, best first.
  std::vector<std::pair<std::string, double>> top(const Prediction& prediction,
                                                  std::size_t k) const;
  Explanation explain(std::string_view text) const;
  /// What word and character n-grams add to the logit of a label through the linear members,
  /// largest absolute value first; for classes, of which a text has one, minus the mean logit.
  /// Empty without linear members. Throws std::invalid_argument for a label that the model does not
  /// have.
  std::vector<std::pair<std::string, double>> ngrams(std::string_view text,
                                                     std::string_view label) const;
  /// One vector per text: [texts, width], for example to find similar documents.
  Vectors embed(std::span<const std::string> texts) const;

  /// The classes, or all labels that documents can have, in the order of Prediction::probabilities.
  const std::vector<std::string>& labels() const;
  /// Whether a document has any number of labels.
  bool several_labels() const;
  /// How the training files were read.
  const classification::DataConfig& data_config() const;
  /// The same classifier without its facade: its tokenizer, thresholds and linear members.
  const runtime::Classifier& runtime() const;

 private:
  struct Impl;
  explicit Classifier(std::unique_ptr<const Impl> impl);

  std::unique_ptr<const Impl> impl_;
};

}  // namespace fastformer
