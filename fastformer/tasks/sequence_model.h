#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace fastformer::tasks {

/// What a search sees of a model: sequences that grow by a token at a time. At first there is one
/// empty sequence for each document.
class SequenceModel {
 public:
  virtual ~SequenceModel() = default;

  virtual std::int64_t documents() const = 0;
  /// Appends a token to each of the H sequences; log-probabilities [H, V] of the next ones, float
  /// or double. The first token of all is the one that begins a text.
  virtual at::Tensor step(std::span<const std::int32_t> tokens) = 0;
  /// Sequence i becomes a copy of what `parents[i]` was. Sequences stay in the order of documents.
  virtual void select(std::span<const std::int64_t> parents) = 0;
};

/// The tokens that a search knows: what begins and ends a text, and what it must never choose.
struct SearchTokens {
  std::int32_t begin = 0, end = 0;
  std::vector<std::int32_t> banned;
};

/// A text that a search has found.
struct WrittenText {
  std::vector<std::int32_t> tokens;  ///< without the ones that begin and end it
  double log_probability = 0;        ///< of these tokens, and of the end where it has one
  double score = 0;                  ///< by which texts of a document compare
  bool ended = false;                ///< by its own choice, not by the largest length
};

/// Called with each token of a text as soon as it is chosen; not with the end.
using TokenSink = std::function<void(std::int64_t document, std::int32_t token)>;

}  // namespace fastformer::tasks
