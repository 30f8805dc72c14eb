#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/linear/linear_part.h"
#include "fastformer/model/classifier_config.h"
#include "fastformer/runtime/prediction.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::runtime {

/// Everything in a classifier except the network: it tokenizes texts, and turns the network's
/// logits and the linear members into predictions. Immutable once loaded; safe to share between
/// threads.
struct ClassifierFrame {
  std::vector<std::string> labels;  ///< the classes, in the order of the logits
  /// The probability from which each label is predicted (thresholds.json), if a document has
  /// several labels. Empty: a document has one class.
  std::vector<double> thresholds;
  std::int64_t max_tokens = 0;  ///< documents are truncated to this length; 0: no limit
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::optional<linear::LinearPart> linear;  ///< linear.safetensors; nullopt: only the network

  bool several_labels() const { return !thresholds.empty(); }
  std::size_t token_limit() const;

  /// The number of scores that the linear members have for a text; 0 without linear members.
  std::size_t linear_score_count() const;
  /// Writes the scores [members, classes] of the text; `scores` has linear_score_count() elements.
  void score(std::string_view text, std::span<double> scores) const;
  /// Combines the network's logits [classes] with the linear_score_count() scores of the linear
  /// members. Throws std::runtime_error if a logit is not finite.
  Prediction predict(std::span<const double> network, std::span<const double> scores) const;
  /// The `k` most probable labels of a prediction with their probabilities, best first.
  std::vector<std::pair<std::string, double>> top(const Prediction& prediction,
                                                  std::size_t k) const;
  /// See Classifier::ngrams.
  std::vector<std::pair<std::string, double>> ngrams(std::string_view text,
                                                     std::string_view label) const;
};

/// The frame of a model directory, and the configuration of its network.
struct ClassifierDirectory {
  ClassifierFrame frame;
  model::ClassifierConfig config;

  /// Calls `read` with config.json first, to read or check other sections. Throws
  /// std::invalid_argument with one sentence for a directory that is missing, incomplete, damaged,
  /// or of another kind or version.
  static ClassifierDirectory load(const std::filesystem::path& directory,
                                  const std::function<void(const base::ConfigTree&)>& read);
};

}  // namespace fastformer::runtime
