#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/metrics/rouge/rouge_words.h"

namespace fastformer::metrics {

/// Summaries made of sentences of the document: baselines, and an upper bound for extractive
/// systems. Each function returns indices of sentences in ascending order.
///
///   const auto sentences = split_sentences(document);
///   join_sentences(sentences, lead_sentences(sentences.size(), 3));

/// The first `count` of `sentences` sentences, or all.
std::vector<std::size_t> lead_sentences(std::size_t sentences, std::size_t count);

/// `count` of `sentences` drawn without replacement, or all. Equal seeds give equal results.
std::vector<std::size_t> random_sentences(std::size_t sentences, std::size_t count,
                                          std::uint64_t seed);

/// Joins the chosen sentences, one per line.
std::string join_sentences(std::span<const std::string_view> sentences,
                           std::span<const std::size_t> chosen);

/// The greedy oracle (Nallapati et al. 2017; with this score Liu and Lapata 2019). In each step it
/// adds the sentence that raises ROUGE-1 F + ROUGE-2 F of the summary most, until no sentence
/// raises it. The summary is scored with its sentences in the order of the document.
///
///   ExtractiveOracle oracle;
///   oracle.choose(sentences, reference, 3);
///
/// Of equal gains, the first sentence is chosen. The time is that of reading the sentences once for
/// each chosen one. Use each object from one thread.
class ExtractiveOracle {
 public:
  explicit ExtractiveOracle(bool stem = false, RougeTokens tokens = RougeTokens::kRouge)
      : words_(stem, tokens) {}

  struct Judgement {
    std::vector<std::size_t> chosen;
    /// Of each sentence alone, the mean of ROUGE-1 F and ROUGE-2 F.
    std::vector<double> gains;
  };

  /// Chooses at most `limit` sentences; 0: no limit.
  Judgement judge(std::span<const std::string_view> sentences, std::string_view reference,
                  std::size_t limit);
  /// Only the chosen sentences.
  std::vector<std::size_t> choose(std::span<const std::string_view> sentences,
                                  std::string_view reference, std::size_t limit) {
    return judge(sentences, reference, limit).chosen;
  }

 private:
  RougeWords words_;
};

/// Statistics of a summary's n-grams for one n; both shares are 0 if there are none.
struct NgramShares {
  std::size_t total = 0;
  double novel = 0;     ///< share of the distinct n-grams not in the document
  double repeated = 0;  ///< share of all n-grams that repeat an earlier one
};

struct SummaryStatistics {
  std::size_t document_words = 0, summary_words = 0;
  std::array<NgramShares, kLongestNgram> ngrams;  ///< n = 1, 2, 3, 4
};

/// How much a summary copies and repeats: novel n-grams are counted as by Fabbri et al. 2021
/// ("SummEval"), repeated ones as by Welleck et al. 2020 ("Neural text generation with unlikelihood
/// training", seq-rep-n). Words are those of RougeWords, without stemming.
///
///   SummaryMeter meter;
///   meter.measure(document, summary).ngrams[1].novel;  // share of new pairs of words
///
/// Use each object from one thread.
class SummaryMeter {
 public:
  explicit SummaryMeter(RougeTokens tokens = RougeTokens::kRouge)
      : words_(/*stem=*/false, tokens) {}

  SummaryStatistics measure(std::string_view document, std::string_view summary);

 private:
  RougeWords words_;
};

}  // namespace fastformer::metrics
