#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/nn/decoder.h"
#include "fastformer/nn/distinct_tokens.h"
#include "fastformer/nn/embedding.h"
#include "fastformer/nn/encoder.h"
#include "fastformer/nn/parameter_store.h"
#include "fastformer/tasks/copy_head.h"
#include "fastformer/tasks/summarizer_config.h"
#include "fastformer/tasks/summary_batch.h"
#include "fastformer/tasks/text_vocabulary.h"

namespace fastformer::tasks {

/// What is known of summaries that are being written.
struct WritingState {
  nn::DecoderState decoder;
  at::Tensor memory, copy_keys;  ///< [S, d], the encoded documents; the latter where copied
  nn::DistinctTokens tokens;     ///< of the documents, where copied
};

/// The weights behind a summary of T tokens of a document of S, for explanations.
struct SummaryTrace {
  /// [T, S], each row of which sums to 1: the copy head's a_t, or without one the mean over the
  /// heads of what the last decoder layer gave the document.
  at::Tensor weights;
  /// [T], the copy head's probability of generating rather than copying; undefined without one.
  at::Tensor gates;
};

/// Abstractive summarization (Wu et al., arXiv 2108.09084, section 4.2): embedding and encoder of
/// the document, a causal decoder that attends to it, and a distribution over the next token:
/// softmax of the output layer, or with `copy` the pointer-generator's mixture.
///
///   const Summarizer model(config, vocabulary_of(*tokenizer), /*seed=*/1);
///   model.loss(batch, /*label_smoothing=*/0.1, /*training=*/true).backward();
///
/// Immutable but for its parameters, which an optimizer changes: without one, safe to share by
/// threads.
class Summarizer {
 public:
  Summarizer(const SummarizerConfig& config, const TextVocabulary& vocabulary, std::uint64_t seed,
             at::ScalarType dtype = at::kFloat);

  /// Mean over the tokens of the summaries and the token behind each, as `nn/vocabulary_loss.h`
  /// defines it; each is predicted from the true ones before it. `training` turns dropout on, which
  /// draws from LibTorch's default generator.
  at::Tensor loss(const SummaryBatch& batch, double label_smoothing, bool training) const;

  /// One summary without tokens for each document; for inference.
  WritingState begin(std::span<const std::int32_t> ids, const nn::Offsets& offsets) const;
  /// Appends a token to each of H summaries; log-probabilities [H, V] of the next ones.
  at::Tensor step(std::span<const std::int32_t> tokens, WritingState& state) const;

  /// What the model looks at for each token of a summary, given those before it. Throws
  /// std::invalid_argument for a summary without tokens or longer than the positions.
  SummaryTrace trace(std::span<const std::int32_t> ids,
                     std::span<const std::int32_t> summary) const;

  const nn::ParameterMap& parameters() const { return store_.parameters(); }
  /// The tables whose gradients are sparse, and their rows that a batch touches. The tokens' table
  /// is not among them where the output layer uses it.
  std::set<std::string> row_sparse_parameters() const;
  std::vector<std::pair<std::string, at::Tensor>> touched_rows(const SummaryBatch& batch) const;

  const SummarizerConfig& config() const { return config_; }
  const TextVocabulary& vocabulary() const { return vocabulary_; }

 private:
  at::Tensor encode(std::span<const std::int32_t> ids, const nn::Offsets& offsets,
                    bool training) const;
  void mix(const at::Tensor& decoded, const at::Tensor& input, const WritingState& state,
           const at::Tensor& log_p) const;

  SummarizerConfig config_;
  TextVocabulary vocabulary_;
  nn::ParameterStore store_;
  nn::Embedding embedding_, target_embedding_;
  nn::Encoder encoder_;
  nn::Decoder decoder_;
  at::Tensor output_weight_, output_bias_;  ///< [V, d], [V]
  CopyHead copy_;
};

}  // namespace fastformer::tasks
