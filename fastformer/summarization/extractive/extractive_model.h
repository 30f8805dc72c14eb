#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/nn/layers/additive_pooling.h"
#include "fastformer/nn/layers/embedding.h"
#include "fastformer/nn/layers/encoder.h"
#include "fastformer/nn/layers/layer_norm.h"
#include "fastformer/nn/layers/linear.h"
#include "fastformer/nn/parameter_store.h"
#include "fastformer/summarization/data_config.h"
#include "fastformer/summarization/extractive/document.h"
#include "fastformer/summarization/extractive/selection_config.h"
#include "fastformer/summarization/model_config.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::summarization {

/// Extractive summarization: a score for each sentence of a document, except with softmax attention
/// at a cost linear in its length.
///
///   x_i = embedding of token i + R[bucket(number of times the token is in the document)]
///   h = encoder(x), over all tokens of the document
///   v_s = additive pooling of the rows h_i of sentence s
///         + P[place from the start] + Q[place from the end] + F[tenth of the document]
///         + L[length] + K[kind]
///   g = sentence encoder(norm(v)), over all sentences of the document
///   z_s = w . norm(g_s) + b,   p_s = sigmoid(z_s)
///
/// Two levels as in SummaRuNNer (Nallapati et al., arXiv 1611.04230), with encoders of linear cost
/// instead of recurrent ones. R tells how often a document repeats a word, which the encoder cannot
/// count itself. Places and lengths are in buckets that grow with them, so that documents of any
/// length can be read.
///
///   const ExtractiveModel model(config, tokenizer->vocabulary_size(), /*seed=*/1);
///   model.loss(gather_sentences(corpus, rows), /*soft_targets=*/0.5,
///   /*training=*/true).backward();
///
/// Only an optimizer changes the parameters; otherwise the model is immutable and safe to share
/// between threads.
class ExtractiveModel {
 public:
  ExtractiveModel(const ModelConfig& config, std::int64_t vocabulary_size, std::uint64_t seed,
                  at::ScalarType dtype = at::kFloat);
  /// Uses the parameters of `store`, for example those of a file.
  ExtractiveModel(const ModelConfig& config, std::int64_t vocabulary_size,
                  nn::ParameterStore store);

  /// The logits z of all sentences, [S]. `training` turns dropout on, which draws from LibTorch's
  /// default generator. Throws std::invalid_argument for a token outside the vocabulary.
  at::Tensor logits(const SentenceBatch& batch, bool training) const;

  /// The mean cross-entropy of p with the targets t = (1 - a) o + a u / max u over all sentences,
  /// in nats, for a = `soft_targets`; o is 1 if the oracle chose the sentence, u is its gain alone,
  /// and max u the largest gain in its document (the quotient is 0 if that is 0).
  at::Tensor loss(const SentenceBatch& batch, double soft_targets, bool training) const;

  /// The scores p of the sentences, [S]; for inference.
  std::vector<double> scores(const SentenceBatch& batch) const;

  const nn::ParameterMap& parameters() const { return store_.parameters(); }
  /// The tables with sparse gradients, and the rows of them that a batch uses.
  std::set<std::string> row_sparse_parameters() const;
  std::vector<std::pair<std::string, at::Tensor>> touched_rows(const SentenceBatch& batch) const;

  const ModelConfig& config() const { return config_; }

 private:
  ModelConfig config_;
  nn::ParameterStore store_;
  nn::Embedding embedding_;
  at::Tensor repetition_;  ///< R
  nn::Encoder encoder_;
  nn::AdditivePooling pooling_;
  at::Tensor start_, end_, tenth_, length_, kind_;  ///< P, Q, F, L and K
  nn::LayerNorm sentence_norm_;
  nn::Encoder sentence_encoder_;
  nn::LayerNorm output_norm_;
  nn::Linear output_;
};

/// The content of an extractive summarizer's model directory, see base/model_directory.h:
/// config.json with the sections `model`, `selection` and `data` (how the training files were
/// read), the parameters, and the tokenizer.
struct ExtractiveContent {
  DataConfig data_config;
  SelectionConfig selection;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::unique_ptr<ExtractiveModel> model;

  /// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
  /// damaged, or of another kind or version.
  static ExtractiveContent load(const std::filesystem::path& directory);
};

/// The result of `kind_of_model` for an extractive summarizer's directory.
inline constexpr const char* kExtractiveKind = "extractive summarizer";

/// References to the parts of an extractive summarizer that are saved.
struct ExtractiveParts {
  const DataConfig& data_config;
  const SelectionConfig& selection;
  const text::Tokenizer& tokenizer;
  const ExtractiveModel& model;
};

/// Writes the model directory; `card` is Markdown. Throws std::runtime_error if a file cannot be
/// written.
void save_extractive(const std::filesystem::path& directory, const ExtractiveParts& parts,
                     const std::string& card);

}  // namespace fastformer::summarization
