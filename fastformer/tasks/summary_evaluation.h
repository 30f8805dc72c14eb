#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "fastformer/data/pair_reader.h"
#include "fastformer/data/pair_set.h"
#include "fastformer/tasks/scores.h"
#include "fastformer/tasks/search_config.h"
#include "fastformer/tasks/summarizer.h"
#include "fastformer/text/rouge.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::tasks {

/// The mean over all tokens of the set's summaries, and the end of each, of -log p, in nats. Throws
/// std::invalid_argument for an empty set.
double mean_loss(const Summarizer& model, const data::PairSet& set);

/// A summary for each document of a set, in the set's order. Documents of like length are written
/// together. Throws as summarize() does.
std::vector<std::string> write_summaries(const Summarizer& model, const text::Tokenizer& tokenizer,
                                         const SearchConfig& search,
                                         const data::TokenSet& documents);

/// How summaries do against the references, in percent but for the lengths and the loss.
struct SummaryRow {
  std::string name;
  double rouge_1 = 0, rouge_2 = 0, rouge_l = 0, rouge_lsum = 0;  ///< mean F, with stems
  double words = 0;                                              ///< mean length
  double novel_pairs = 0;       ///< of the pairs of words, the share that the document lacks
  double repeated_triples = 0;  ///< of three words in a row, the share that came before
};

/// rouge_1, rouge_2, rouge_l and rouge_lsum of a row, from 0 to 1.
Scores rouge_scores(const SummaryRow& row);

struct SummaryEvaluation {
  Scores scores;  ///< loss, rouge_1, rouge_2, rouge_l, rouge_lsum (the latter four from 0 to 1)
  std::vector<std::string> summaries;
  std::vector<text::RougeScores> rouge;  ///< of each summary, with stems
  /// The model, then what it has to beat (the first one and three sentences, three random ones),
  /// then the greedy choice of three sentences that knows the reference.
  std::vector<SummaryRow> rows;
};

/// `texts` are those of the set's rows, see data::read_texts(). Throws std::invalid_argument for an
/// empty set or another number of texts.
SummaryEvaluation evaluate(const Summarizer& model, const text::Tokenizer& tokenizer,
                           const SearchConfig& search, const data::PairSet& set,
                           std::span<const data::TextPair> texts);

/// The loss and the rows as a table for people, and as JSON.
std::string evaluation_table(const SummaryEvaluation& evaluation);
std::string evaluation_json(const SummaryEvaluation& evaluation);

/// Writes test.json (the latter) and test_summaries.jsonl ({"summary": .., "reference": ..} a line)
/// into the folder. Throws std::runtime_error when the disk refuses.
void write_evaluation(const SummaryEvaluation& evaluation, std::span<const data::TextPair> texts,
                      const std::filesystem::path& folder);

}  // namespace fastformer::tasks
