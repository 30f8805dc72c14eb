#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "fastformer/metrics/rouge/rouge.h"
#include "fastformer/metrics/scores.h"
#include "fastformer/summarization/dataset.h"
#include "fastformer/summarization/readers/reader.h"
#include "fastformer/summarization/search.h"
#include "fastformer/summarization/summarizer_model.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::summarization {

/// The mean of -log p over all tokens of the summaries, including the end of each, in nats. Throws
/// std::invalid_argument for an empty set.
double mean_loss(const SummarizerModel& model, const PairCorpus& pairs);

/// A summary for each document of a corpus, in its order. Documents of similar length share a
/// batch. Throws as write_summaries() does.
std::vector<std::string> summarize(const SummarizerModel& model, const text::Tokenizer& tokenizer,
                                   const SearchConfig& search, const data::Corpus& documents);

/// Scores of summaries against their references, in percent except lengths and loss.
struct SummaryRow {
  std::string name;
  double rouge_1 = 0, rouge_2 = 0, rouge_l = 0, rouge_lsum = 0;  ///< mean F, with stems
  double words = 0;                                              ///< mean length
  double novel_pairs = 0;       ///< share of word pairs that are not in the document
  double repeated_triples = 0;  ///< share of repeated word triples
};

/// rouge_1, rouge_2, rouge_l and rouge_lsum of a row, from 0 to 1.
metrics::Scores rouge_scores(const SummaryRow& row);

struct Evaluation {
  metrics::Scores
      scores;  ///< loss, rouge_1, rouge_2, rouge_l, rouge_lsum (the latter four from 0 to 1)
  std::vector<std::string> summaries;
  std::vector<metrics::RougeScores> rouge;  ///< of each summary, with stems
  /// The model, then the baselines: the first sentence, the first three, three random ones, and
  /// three sentences chosen greedily by the reference.
  std::vector<SummaryRow> rows;
};

/// `texts` are those of the set's rows, see read_texts(). Throws std::invalid_argument for an
/// empty set or another number of texts.
Evaluation evaluate(const SummarizerModel& model, const text::Tokenizer& tokenizer,
                    const SearchConfig& search, const PairCorpus& pairs,
                    std::span<const TextPair> texts);

/// The loss and the rows as a readable table, and as JSON.
std::string evaluation_table(const Evaluation& evaluation);
std::string evaluation_json(const Evaluation& evaluation);

/// Writes test.json (the latter) and test_summaries.jsonl (one {"summary": .., "reference": ..} per
/// line) to the folder. Throws std::runtime_error if a file cannot be written.
void write_evaluation(const Evaluation& evaluation, std::span<const TextPair> texts,
                      const std::filesystem::path& folder);

}  // namespace fastformer::summarization
