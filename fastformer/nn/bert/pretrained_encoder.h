#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fastformer/nn/bert/bert_encoder.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::nn {

/// How a sequence becomes one vector: the mean of its rows, or its first row ([CLS]).
enum class SentencePooling { kMean, kFirst };

/// The rows x [T, d] of nonempty sequences -> one vector for each sequence, [B, d]; differentiable.
/// Throws c10::Error if shapes disagree.
at::Tensor pool_sentences(const at::Tensor& x, const Offsets& offsets, SentencePooling pooling);

/// A pre-trained BERT or DistilBERT with its tokenizer, from a folder saved by Hugging Face's
/// transformers: config.json, the weights (see BertWeights) and the tokenizer (see
/// text::bert_tokenizer_config).
///
///   const auto model = PretrainedEncoder::open("MiniLM");
///   const std::vector<std::string> texts = {"Oil prices fall", "The team wins"};
///   const auto vectors = model.sentence_vectors(texts, SentencePooling::kMean);
///
/// A larger model that contains BERT creates a BertEncoder with its own ParameterStore instead, and
/// uses `text::bert_tokenizer_config` and `pool_sentences`.
class PretrainedEncoder {
 public:
  /// Throws std::invalid_argument naming the file that is missing, damaged or not of a BERT model.
  static PretrainedEncoder open(const std::filesystem::path& folder,
                                FineTuning tuning = {.layers = 0},
                                at::ScalarType dtype = at::kFloat);

  const text::Tokenizer& tokenizer() const { return *tokenizer_; }
  const BertEncoder& encoder() const { return *encoder_; }
  /// Unused tensors of the file, such as those of the pooler.
  const std::vector<std::string>& unused_tensors() const { return unused_; }

  /// Unit vectors [texts, d], whose products are cosine similarities. Each text is put between
  /// [CLS] and [SEP] and truncated to the positions of the model. Computed without dropout and
  /// gradients, and in batches, so that many texts need little more memory than their vectors.
  at::Tensor sentence_vectors(std::span<const std::string> texts, SentencePooling pooling) const;

 private:
  PretrainedEncoder() = default;

  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::unique_ptr<BertEncoder> encoder_;
  std::vector<std::string> unused_;
};

}  // namespace fastformer::nn
