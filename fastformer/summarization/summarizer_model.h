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
#include "fastformer/summarization/data_config.h"
#include "fastformer/summarization/dataset.h"
#include "fastformer/summarization/model_config.h"
#include "fastformer/summarization/search.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::summarization {

/// The pointer of a pointer-generator (See et al., arXiv 1704.04368, section 2.2), with one head of
/// scaled dot-product attention in place of their additive one. For a row of the decoder y_t, its
/// input x_t and the encoded document E, with E_-1 = 0:
///   k_j = Wk E_j + bk + Wp E_(j-1)
///   a_t = softmax_j((Wq y_t + bq) . k_j / sqrt(d)),   c_t = sum_j a_tj E_j
///   g_t = sigmoid(Wg [c_t; y_t; x_t] + bg), the probability of generating rather than copying
/// Their encoder is recurrent: its rows know what stands before them. Those of additive attention
/// know their own token and the whole document, but not their neighbours; Wp tells the pointer
/// where a copied phrase goes on. Parameters: `<name>.query`, `<name>.key`, `<name>.previous` and
/// `<name>.gate`.
struct CopyHead {
  CopyHead() = default;
  CopyHead(nn::ParameterStore& store, const std::string& name, std::int64_t width)
      : query(store, name + ".query", width, width),
        key(store, name + ".key", width, width),
        previous(store.normal(name + ".previous.weight", {width, width})),
        gate(store, name + ".gate", 3 * width, 1) {}

  /// k [S, d] of the encoded documents [S, d].
  at::Tensor keys(const at::Tensor& memory, const nn::Offsets& offsets) const {
    const auto before = nn::previous_rows(memory, offsets);
    return key.forward(memory) + nn::affine(before, previous, {}, kernels::token_operands());
  }
  /// Logits of g [T, 1] of rows [T, d] each.
  at::Tensor gate_logits(const at::Tensor& context, const at::Tensor& decoded,
                         const at::Tensor& input) const {
    return gate.forward(at::cat({context, decoded, input}, 1));
  }
  explicit operator bool() const { return static_cast<bool>(query); }

  nn::Linear query, key;
  at::Tensor previous;  ///< [d, d]
  nn::Linear gate;
};

/// The vocabulary that documents and summaries share, and its tokens that stand before the first
/// token of a text and behind its last one.
struct TextVocabulary {
  std::int64_t size = 0;
  std::int32_t begin = 0, end = 0;
};

/// That of a tokenizer. One that has no tokens to begin and end a text gets two more ids, behind
/// its own: no text is ever encoded to them.
inline TextVocabulary vocabulary_of(const text::Tokenizer& tokenizer) {
  const auto size = tokenizer.vocabulary_size();
  if (tokenizer.begin_id() >= 0 && tokenizer.end_id() >= 0) {
    return {size, tokenizer.begin_id(), tokenizer.end_id()};
  }
  return {size + 2, static_cast<std::int32_t>(size), static_cast<std::int32_t>(size + 1)};
}

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
///   const SummarizerModel model(config, vocabulary_of(*tokenizer), /*seed=*/1);
///   model.loss(batch, /*label_smoothing=*/0.1, /*training=*/true).backward();
///
/// Immutable but for its parameters, which an optimizer changes: without one, safe to share by
/// threads.
class SummarizerModel {
 public:
  SummarizerModel(const ModelConfig& config, const TextVocabulary& vocabulary, std::uint64_t seed,
                  at::ScalarType dtype = at::kFloat);
  /// With the parameters of `store`, such as those of a file.
  SummarizerModel(const ModelConfig& config, const TextVocabulary& vocabulary,
                  nn::ParameterStore store);

  /// Mean over the tokens of the summaries and the token behind each, as `nn/vocabulary_loss.h`
  /// defines it; each is predicted from the true ones before it. `training` turns dropout on, which
  /// draws from LibTorch's default generator.
  at::Tensor loss(const PairBatch& batch, double label_smoothing, bool training) const;

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

/// All that the model directory of a summarizer holds, see base/model_directory.h: the sections
/// `model`, `search` and `data` (how its training files were read) of config.json, the parameters
/// and the tokenizer.
struct SummarizerContent {
  DataConfig data_config;
  SearchConfig search;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::unique_ptr<SummarizerModel> model;

  /// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
  /// damaged, or of another kind or version.
  static SummarizerContent load(const std::filesystem::path& directory);
};

/// What `kind_of_model` says of the directory of a summarizer.
inline constexpr const char* kModelKind = "summarizer";

/// The parts of a summarizer that are saved; they belong to the caller.
struct SummarizerParts {
  const DataConfig& data_config;
  const SearchConfig& search;
  const text::Tokenizer& tokenizer;
  const SummarizerModel& model;
};

/// Writes the model directory; `card` is Markdown. Throws std::runtime_error when the disk refuses.
void save_summarizer(const std::filesystem::path& directory, const SummarizerParts& parts,
                     const std::string& card);

}  // namespace fastformer::summarization
