#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/nn/decoder/decoder.h"
#include "fastformer/nn/decoder/token_mixture.h"
#include "fastformer/nn/layers/embedding.h"
#include "fastformer/nn/layers/encoder.h"
#include "fastformer/nn/layers/linear.h"
#include "fastformer/nn/layers/ragged_ops.h"
#include "fastformer/nn/offsets.h"
#include "fastformer/nn/parameter_store.h"
#include "fastformer/summarization/abstractive/search.h"
#include "fastformer/summarization/data_config.h"
#include "fastformer/summarization/dataset.h"
#include "fastformer/summarization/model_config.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::summarization {

/// The pointer of a pointer-generator (See et al., arXiv 1704.04368, section 2.2), with one head of
/// scaled dot-product attention instead of additive attention. For a decoder row y_t, its input x_t
/// and the encoded document E, with E_-1 = 0:
///   k_j = Wk E_j + bk + Wp E_(j-1)
///   a_t = softmax_j((Wq y_t + bq) . k_j / sqrt(d)),   c_t = sum_j a_tj E_j
///   g_t = sigmoid(Wg [c_t; y_t; x_t] + bg), the probability of generating instead of copying
/// The encoder of the paper is recurrent, so its rows contain information about preceding tokens.
/// Rows of additive attention contain their own token and the whole document, but not their
/// neighbours; Wp enables the pointer to continue a copied phrase. Parameters: `<name>.query`,
/// `<name>.key`, `<name>.previous` and `<name>.gate`.
struct CopyHead {
  CopyHead() = default;
  CopyHead(nn::ParameterStore& store, const std::string& name, std::int64_t width)
      : query(store, name + ".query", width, width),
        key(store, name + ".key", width, width),
        previous(store.normal(name + ".previous.weight", {width, width})),
        gate(store, name + ".gate", 3 * width, 1) {}

  /// Encoded documents [S, d] -> k [S, d].
  at::Tensor keys(const at::Tensor& memory, const nn::Offsets& offsets) const {
    const auto before = nn::previous_rows(memory, offsets);
    return key.forward(memory) + nn::affine(before, previous, {}, kernels::token_operands());
  }
  /// c, y and x, rows [T, d] each -> the logits of g, [T, 1].
  at::Tensor gate_logits(const at::Tensor& context, const at::Tensor& decoded,
                         const at::Tensor& input) const {
    return gate.forward(at::cat({context, decoded, input}, 1));
  }
  explicit operator bool() const { return static_cast<bool>(query); }

  nn::Linear query, key;
  at::Tensor previous;  ///< [d, d]
  nn::Linear gate;
};

/// The vocabulary that documents and summaries share, and its begin and end tokens.
struct TextVocabulary {
  std::int64_t size = 0;
  std::int32_t begin = 0, end = 0;
};

/// The vocabulary of a tokenizer. If the tokenizer has no begin and end tokens, two ids are added
/// after its own ids; encoding a text never produces them.
inline TextVocabulary vocabulary_of(const text::Tokenizer& tokenizer) {
  const auto size = tokenizer.vocabulary_size();
  if (tokenizer.begin_id() >= 0 && tokenizer.end_id() >= 0) {
    return {size, tokenizer.begin_id(), tokenizer.end_id()};
  }
  return {size + 2, static_cast<std::int32_t>(size), static_cast<std::int32_t>(size + 1)};
}

/// The state of summaries that are being generated.
struct WritingState {
  nn::DecoderState decoder;
  at::Tensor memory, copy_keys;  ///< [S, d], encoded documents; keys only with `copy`
  nn::DistinctTokens tokens;     ///< of the documents; only with `copy`
};

/// The weights for a summary of T tokens and a document of S tokens, for explanations.
struct SummaryTrace {
  /// [T, S], rows sum to 1: a_t of the copy head; without a copy head, the attention of the last
  /// decoder layer to the document, averaged over heads.
  at::Tensor weights;
  /// [T], the copy head's probability of generating instead of copying; undefined without one.
  at::Tensor gates;
};

/// Abstractive summarization (Wu et al., arXiv 2108.09084, section 4.2): embedding and encoder of
/// the document, a causal decoder that attends to it, and a distribution over the next token, which
/// is the softmax of the output layer, or with `copy` the mixture of the pointer-generator.
///
///   const SummarizerModel model(config, vocabulary_of(*tokenizer), /*seed=*/1);
///   model.loss(batch, /*label_smoothing=*/0.1, /*training=*/true).backward();
///
/// Only an optimizer changes the parameters; otherwise the model is immutable and safe to share
/// between threads.
class SummarizerModel {
 public:
  SummarizerModel(const ModelConfig& config, const TextVocabulary& vocabulary, std::uint64_t seed,
                  at::ScalarType dtype = at::kFloat);
  /// Uses the parameters of `store`, for example those of a file.
  SummarizerModel(const ModelConfig& config, const TextVocabulary& vocabulary,
                  nn::ParameterStore store);

  /// The mean loss over the tokens of the summaries and their end tokens, see
  /// `nn/decoder/vocabulary_loss.h`. Each token is predicted from the true tokens before it.
  /// `training` turns dropout on, which draws from LibTorch's default generator.
  at::Tensor loss(const PairBatch& batch, double label_smoothing, bool training) const;

  /// Starts an empty summary for each document; for inference.
  WritingState begin(std::span<const std::int32_t> ids, const nn::Offsets& offsets) const;
  /// Appends a token to each of H summaries -> the log-probabilities [H, V] of the next tokens.
  at::Tensor step(std::span<const std::int32_t> tokens, WritingState& state) const;

  /// The weights for each token of a summary, given the true tokens before it. Throws
  /// std::invalid_argument if the summary is empty or longer than the positions.
  SummaryTrace trace(std::span<const std::int32_t> ids,
                     std::span<const std::int32_t> summary) const;

  const nn::ParameterMap& parameters() const { return store_.parameters(); }
  /// The tables with sparse gradients, and the rows of them that a batch uses. The token table is
  /// not among them if the output layer shares it.
  std::set<std::string> row_sparse_parameters() const;
  std::vector<std::pair<std::string, at::Tensor>> touched_rows(const PairBatch& batch) const;

  const ModelConfig& config() const { return config_; }
  const TextVocabulary& vocabulary() const { return vocabulary_; }

 private:
  at::Tensor encode(std::span<const std::int32_t> ids, const nn::Offsets& offsets,
                    bool training) const;
  void mix(const at::Tensor& decoded, const at::Tensor& input, const WritingState& state,
           const at::Tensor& log_p) const;

  ModelConfig config_;
  TextVocabulary vocabulary_;
  nn::ParameterStore store_;
  nn::Embedding embedding_, target_embedding_;
  nn::Encoder encoder_;
  nn::Decoder decoder_;
  at::Tensor output_weight_, output_bias_;  ///< [V, d], [V]
  CopyHead copy_;
};

/// The content of a summarizer's model directory, see base/model_directory.h: config.json with the
/// sections `model`, `search` and `data` (how the training files were read), the parameters, and
/// the tokenizer.
struct SummarizerContent {
  DataConfig data_config;
  SearchConfig search;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::unique_ptr<SummarizerModel> model;

  /// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
  /// damaged, or of another kind or version.
  static SummarizerContent load(const std::filesystem::path& directory);
};

/// The result of `kind_of_model` for a summarizer's directory.
inline constexpr const char* kModelKind = "summarizer";

/// References to the parts of a summarizer that are saved.
struct SummarizerParts {
  const DataConfig& data_config;
  const SearchConfig& search;
  const text::Tokenizer& tokenizer;
  const SummarizerModel& model;
};

/// Writes the model directory; `card` is Markdown. Throws std::runtime_error if a file cannot be
/// written.
void save_summarizer(const std::filesystem::path& directory, const SummarizerParts& parts,
                     const std::string& card);

}  // namespace fastformer::summarization
