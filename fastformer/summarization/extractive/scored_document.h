#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/summarization/dataset.h"
#include "fastformer/summarization/evaluation.h"
#include "fastformer/summarization/extractive/extractive_model.h"
#include "fastformer/text/document_sentences.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::summarization {

/// The sentences of a document, views into its text, and the score p of each.
struct ScoredDocument {
  std::vector<text::Sentence> sentences;
  std::vector<double> scores;  ///< from 0 to 1
  bool truncated = false;      ///< the document has more sentences
};

struct ScoringLimits {
  std::int64_t document_tokens = 0;    ///< see read_document()
  std::int64_t batch_tokens = 16'384;  ///< of documents that share a batch; a longer one is alone
};

/// Scores the sentences of documents, in their order. The texts must outlive the result.
std::vector<ScoredDocument> score_documents(const ExtractiveModel& model,
                                            const text::Tokenizer& tokenizer,
                                            std::span<const std::string_view> documents,
                                            const ScoringLimits& limits);

/// The mean cross-entropy of the scores with the choice of the oracle over all sentences of a
/// corpus, in nats. Throws std::invalid_argument if there are no pairs.
double mean_loss(const ExtractiveModel& model, const PairCorpus& pairs);

/// A scored document and its reference summary.
struct ScoredPair {
  ScoredDocument document;
  std::string_view reference;
};

/// The configuration with the largest SelectionScores::mean() of `config` and others: first numbers
/// of sentences, then limits of words, in multiples of the references' mean length, then controls
/// of redundancy. A limit of words of `config` is the upper bound of those.
SelectionConfig tuned_selection(std::span<const ScoredPair> pairs, SelectionConfig config);

/// The mean F of ROUGE-1, -2 and -Lsum of the selected summaries.
struct SelectionScores {
  double rouge_1 = 0, rouge_2 = 0, rouge_lsum = 0;

  double mean() const { return (rouge_1 + rouge_2 + rouge_lsum) / 3; }
};
SelectionScores selection_scores(std::span<const ScoredPair> pairs, const SelectionConfig& config);

/// The selected sentences, one per line, for ROUGE-Lsum.
std::string extract(const ScoredDocument& document, const SelectionConfig& config);

/// Evaluates a model on the pairs of a corpus and their texts, see read_texts(). Throws
/// std::invalid_argument if there are no pairs or the number of texts differs.
Evaluation evaluate(const ExtractiveModel& model, const text::Tokenizer& tokenizer,
                    const SelectionConfig& selection, const PairCorpus& pairs,
                    std::span<const TextPair> texts, const ScoringLimits& limits);

}  // namespace fastformer::summarization
