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

/// The mean over all tokens of the set's summaries, and the end of each, of -log p, in nats. Throws
/// std::invalid_argument for an empty set.
double mean_loss(const SummarizerModel& model, const PairCorpus& pairs);

/// A summary for each document of a corpus, in its order. Documents of similar length are written
/// together. Throws as write_summaries() does.
std::vector<std::string> summarize(const SummarizerModel& model, const text::Tokenizer& tokenizer,
                                   const SearchConfig& search, const data::Corpus& documents);

/// How summaries do against the references, in percent but for the lengths and the loss.
struct SummaryRow {
  std::string name;
  double rouge_1 = 0, rouge_2 = 0, rouge_l = 0, rouge_lsum = 0;  ///< mean F, with stems
  double words = 0;                                              ///< mean length
  double novel_pairs = 0;       ///< of the pairs of words, the share that the document lacks
  double repeated_triples = 0;  ///< of three words in a row, the share that came before
};

/// rouge_1, rouge_2, rouge_l and rouge_lsum of a row, from 0 to 1.
metrics::Scores rouge_scores(const SummaryRow& row);

struct Evaluation {
  metrics::Scores
      scores;  ///< loss, rouge_1, rouge_2, rouge_l, rouge_lsum (the latter four from 0 to 1)
  std::vector<std::string> summaries;
  std::vector<metrics::RougeScores> rouge;  ///< of each summary, with stems
  /// The model, then what it has to beat (the first one and three sentences, three random ones),
  /// then the greedy choice of three sentences that knows the reference.
  std::vector<SummaryRow> rows;
};

/// `texts` are those of the set's rows, see read_texts(). Throws std::invalid_argument for an
/// empty set or another number of texts.
Evaluation evaluate(const SummarizerModel& model, const text::Tokenizer& tokenizer,
                    const SearchConfig& search, const PairCorpus& pairs,
                    std::span<const TextPair> texts);

/// The loss and the rows as a table for people, and as JSON.
std::string evaluation_table(const Evaluation& evaluation);
std::string evaluation_json(const Evaluation& evaluation);

/// Writes test.json (the latter) and test_summaries.jsonl ({"summary": .., "reference": ..} a line)
/// into the folder. Throws std::runtime_error when the disk refuses.
void write_evaluation(const Evaluation& evaluation, std::span<const TextPair> texts,
                      const std::filesystem::path& folder);

}  // namespace fastformer::summarization
