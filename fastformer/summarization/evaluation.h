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

/// The mean of -log p over all tokens of the summaries, including the end tokens, in nats. Throws
/// std::invalid_argument if there are no pairs.
double mean_loss(const SummarizerModel& model, const PairCorpus& pairs);

/// Writes a summary for each document of a corpus, in order. Documents of similar length share a
/// batch. Throws as write_summaries() does.
std::vector<std::string> summarize(const SummarizerModel& model, const text::Tokenizer& tokenizer,
                                   const SearchConfig& search, const data::Corpus& documents);

/// Scores of one system's summaries, in percent, except `words`.
struct SummaryRow {
  std::string name;
  double rouge_1 = 0, rouge_2 = 0, rouge_l = 0, rouge_lsum = 0;  ///< mean F, with stems
  double words = 0;                                              ///< mean number of words
  double novel_pairs = 0;       ///< word pairs that are not in the document
  double repeated_triples = 0;  ///< repeated word triples
};

/// The scores rouge_1, rouge_2, rouge_l and rouge_lsum of a row, from 0 to 1.
metrics::Scores rouge_scores(const SummaryRow& row);

struct Evaluation {
  metrics::Scores
      scores;  ///< loss, rouge_1, rouge_2, rouge_l, rouge_lsum (the latter four from 0 to 1)
  std::vector<std::string> summaries;
  std::vector<metrics::RougeScores> rouge;  ///< of each summary, with stems
  /// The model, then the baselines: the first sentence, the first three, three random ones, and
  /// three sentences that were chosen greedily with the reference.
  std::vector<SummaryRow> rows;
};

/// Evaluates a model. `texts` are those of the rows of `pairs`, see read_texts(). Throws
/// std::invalid_argument if `pairs` is empty or the number of texts differs.
Evaluation evaluate(const SummarizerModel& model, const text::Tokenizer& tokenizer,
                    const SearchConfig& search, const PairCorpus& pairs,
                    std::span<const TextPair> texts);

/// The loss and the rows as a text table, and as JSON.
std::string evaluation_table(const Evaluation& evaluation);
std::string evaluation_json(const Evaluation& evaluation);

/// Writes test.json (see evaluation_json()) and test_summaries.jsonl (one {"summary": ..,
/// "reference": ..} per line) to the folder. Throws std::runtime_error if a file cannot be written.
void write_evaluation(const Evaluation& evaluation, std::span<const TextPair> texts,
                      const std::filesystem::path& folder);

}  // namespace fastformer::summarization
