#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/metrics/rouge/extractive.h"
#include "fastformer/metrics/rouge/rouge.h"
#include "fastformer/metrics/rouge/rouge_words.h"
#include "fastformer/metrics/scores.h"
#include "fastformer/summarization/dataset.h"
#include "fastformer/summarization/readers/reader.h"
#include "fastformer/train/task.h"

namespace fastformer::summarization {

/// Scores of one system's summaries, from 0 to 1, except `words`.
struct SummaryRow {
  std::string name;
  double rouge_1 = 0, rouge_2 = 0, rouge_l = 0, rouge_lsum = 0;  ///< mean F
  double words = 0;                                              ///< mean number of words
  double novel_pairs = 0;       ///< share of word pairs that are not in the document
  double repeated_triples = 0;  ///< share of repeated word triples
};

/// The scores rouge_1, rouge_2, rouge_l and rouge_lsum of a row, from 0 to 1.
metrics::Scores rouge_scores(const SummaryRow& row);

/// The scorer and the meter for one kind of words.
struct SummaryMeasure {
  explicit SummaryMeasure(metrics::RougeTokens tokens)
      : scorer(metrics::has_stems(tokens), tokens), meter(tokens) {}

  metrics::RougeScorer scorer;
  metrics::SummaryMeter meter;
};

/// Those for the words of each reference, see metrics::rouge_tokens_of(). Use each object from one
/// thread.
class SummaryMeasures {
 public:
  SummaryMeasure& for_reference(std::string_view reference) {
    const auto tokens = metrics::rouge_tokens_of(reference);
    return measures_.try_emplace(tokens, tokens).first->second;
  }

 private:
  std::map<metrics::RougeTokens, SummaryMeasure> measures_;
};

/// The loss of a batch: the mean of so many terms.
struct BatchLoss {
  double mean = 0;
  std::int64_t terms = 0;
};

/// The mean over all terms of the pairs' losses, batch by batch; 0 without terms. Throws
/// std::invalid_argument if there are no pairs.
double mean_over(const PairCorpus& pairs,
                 const std::function<BatchLoss(std::span<const std::int64_t> rows)>& loss_of);

/// Makes a summary of pair i.
using SummaryAuthor = std::function<std::string(std::size_t i, const TextPair& pair)>;

struct JudgedSummaries {
  SummaryRow row;
  std::vector<metrics::RougeScores> rouge;  ///< of each pair
};

/// Scores one summary per pair. Words are those of metrics::rouge_tokens_of() for each reference,
/// with stems where that is English.
JudgedSummaries judge(const std::string& name, std::span<const TextPair> texts,
                      const SummaryAuthor& author);

struct Evaluation {
  metrics::Scores
      scores;  ///< loss, rouge_1, rouge_2, rouge_l, rouge_lsum (the latter four from 0 to 1)
  std::vector<std::string> summaries;
  std::vector<metrics::RougeScores> rouge;  ///< of each summary
  /// The model, then the baselines, which skip headings and captions: the first sentence; the first
  /// three; as many first sentences as come nearest to the mean length of the references; three
  /// random ones; and three that were chosen greedily with the reference.
  std::vector<SummaryRow> rows;
};

/// Evaluates the summaries of a model with that loss. Throws std::invalid_argument if the numbers
/// of summaries and texts differ.
Evaluation evaluate_summaries(std::vector<std::string> summaries, double loss,
                              std::span<const TextPair> texts);

/// The loss and the rows as a text table, and as JSON.
std::string evaluation_table(const Evaluation& evaluation);
std::string evaluation_json(const Evaluation& evaluation);

/// Writes test.json (see evaluation_json()), test_summaries.jsonl (one {"summary": ..,
/// "reference": ..} per line) and test_items.csv (ROUGE of each document) to the folder, and
/// returns what a task reports. Throws std::runtime_error if a file cannot be written.
train::TestReport write_evaluation(const Evaluation& evaluation, std::span<const TextPair> texts,
                                   const std::filesystem::path& folder);

}  // namespace fastformer::summarization
