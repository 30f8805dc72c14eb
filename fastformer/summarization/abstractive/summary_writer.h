#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "fastformer/nn/offsets.h"
#include "fastformer/summarization/abstractive/search.h"
#include "fastformer/summarization/abstractive/summarizer_model.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::summarization {

/// The interface of a search to summaries that are being generated.
class SummaryWriter final : public SequenceModel {
 public:
  SummaryWriter(const SummarizerModel& model, std::span<const std::int32_t> ids,
                const nn::Offsets& offsets)
      : model_(model), documents_(offsets.size()), state_(model.begin(ids, offsets)) {}

  std::int64_t documents() const override { return documents_; }
  at::Tensor step(std::span<const std::int32_t> tokens) override {
    return model_.step(tokens, state_);
  }
  void select(std::span<const std::int64_t> parents) override { state_.decoder.select(parents); }

 private:
  const SummarizerModel& model_;
  std::int64_t documents_;
  WritingState state_;
};

struct WritingOptions {
  std::vector<std::int32_t> banned =
      {};  ///< tokens that a summary must not contain, besides the begin token
  /// Number of each document among all documents, see sample_texts(); may be empty.
  std::span<const std::int64_t> numbers = {};
  TokenSink sink = {};                                     ///< may be empty; not called by "beam"
  std::vector<bool> continues = {};                        ///< SearchTokens::continues
  std::vector<std::vector<std::int32_t>> repeatable = {};  ///< SearchTokens::repeatable
};

/// What a search needs to know of the tokenizer's tokens; a summary must not contain the unknown
/// token and padding. Throws std::invalid_argument for a word of `config.repeatable` that the
/// tokenizer does not know.
WritingOptions writing_options(const text::Tokenizer& tokenizer, const SearchConfig& config);

/// Generates summaries of the documents, in their order. Each document has a list of the texts that
/// the search found, best first; "greedy" and "sample" find one. The model's positions limit
/// `max_tokens`. Throws std::invalid_argument if `config` is invalid.
std::vector<std::vector<WrittenText>> write_summaries(const SummarizerModel& model,
                                                      std::span<const std::int32_t> ids,
                                                      const nn::Offsets& offsets,
                                                      SearchConfig config,
                                                      WritingOptions options = {});

/// A token of a summary, and the positions of the document that the model attended to for it.
struct TokenExplanation {
  struct Source {
    std::int64_t position;  ///< in the document, from 0
    double weight;          ///< the weights of all positions sum to 1
  };
  std::int32_t token;
  /// Probability of copying instead of generating; empty for a model that cannot copy.
  std::optional<double> copied;
  std::vector<Source> sources;  ///< largest weight first
};

/// One element for each of the `tokens` that the model generated for the document `ids`, with the
/// `sources` positions of largest weight (see SummaryTrace). Throws as SummarizerModel::trace
/// does.
///
///   for (const auto& written : explain_summary(model, ids, texts[0].front().tokens)) {
///     std::cout << tokenizer.token(written.token) << ' ' << written.sources.front().position;
///   }
std::vector<TokenExplanation> explain_summary(const SummarizerModel& model,
                                              std::span<const std::int32_t> ids,
                                              std::span<const std::int32_t> tokens,
                                              std::size_t sources = 3);

}  // namespace fastformer::summarization
