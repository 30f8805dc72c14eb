#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "fastformer/metrics/rouge/rouge_words.h"

namespace fastformer::metrics {

/// The longest common subsequence of one sequence of word numbers with many others, 64 words of it
/// at a time: the bits of V say where the length does not grow along the reference, and each word c
/// of the candidate changes them by V <- (V + (V & M_c)) | (V & ~M_c), where M_c are the places of
/// c (Crochemore et al. 2001, "A fast and practical bit-vector algorithm for the longest common
/// subsequence problem"; Hyyrö 2004).
///
///   CommonSubsequence matcher;
///   matcher.set_reference(reference);            // m words
///   const auto length = matcher.length(candidate);  // n words: time n m / 64 at most
///
/// Word numbers are small and not negative; the memory grows with the largest of them. An object
/// belongs to one thread.
class CommonSubsequence {
 public:
  void set_reference(std::span<const std::int32_t> reference);

  std::size_t length(std::span<const std::int32_t> candidate);

  /// Sets, in `marked` [m], the places of one longest common subsequence in the reference, and
  /// leaves the rest. Among several it is the one that rouge-score finds: from the ends, equal
  /// words are taken, else the candidate's last word goes if the length without it is greater than
  /// without the reference's, else the reference's. Memory m sqrt(n) / 4 bytes.
  void mark(std::span<const std::int32_t> candidate, std::vector<char>& marked);

 private:
  using Bits = std::uint64_t;

  struct Place {
    std::size_t block = 0;
    Bits bits = 0;
  };

  std::span<const Place> places_of(std::int32_t word) const;
  void advance(std::int32_t word, Bits* v) const;
  void advance_rows(std::span<const std::int32_t> words, Bits* rows) const;

  std::vector<std::int32_t> reference_;
  std::size_t blocks_ = 0;           ///< 64 places each
  std::vector<std::int32_t> slots_;  ///< of each word number: its place in first_, -1: nowhere
  std::vector<std::size_t> first_;   ///< [distinct words + 1] in places_
  std::vector<Place> places_;        ///< of one word after another, by block
  std::vector<Bits> rows_, saved_;   ///< values of V, [blocks] each
};

/// The overlap of a summary with a reference.
struct RougeScore {
  double precision = 0;  ///< the share of the candidate
  double recall = 0;     ///< the share of the reference
  double f = 0;          ///< harmonic mean of the two; 0 if both are 0
};

struct RougeScores {
  RougeScore rouge1, rouge2, rouge_l, rouge_lsum;
};

/// The score of `shared` out of so many in the candidate and in the reference.
RougeScore rouge_score(std::size_t shared, std::size_t candidate, std::size_t reference);

/// ROUGE-N of word numbers against the sorted_ngrams of a reference; 1 <= n <= 4.
RougeScore rouge_n(std::span<const std::int32_t> candidate, std::span<const Ngram> reference,
                   std::size_t n);

/// ROUGE (Lin 2004, "ROUGE: a package for automatic evaluation of summaries") with the results of
/// Google's rouge-score package; words and stems as in RougeWords:
///
///   ROUGE-N     shared n-grams, each counted as often as in the text that has it less
///   ROUGE-L     the longest common subsequence of the whole texts
///   ROUGE-Lsum  for each sentence (line) of the reference the union of its longest common
///               subsequences with all sentences of the candidate; a word counts at most as often
///               as in the text that has it less
///
///   RougeScorer scorer(/*stem=*/true);
///   scorer.score("the cat sat", "a cat sat down").rouge_l.f;  // 0.571
///
/// A text without words scores 0. An object belongs to one thread and stores all words it has seen.
/// score() throws std::invalid_argument for a text of more than 65,536 words or 4,096 lines.
class RougeScorer {
 public:
  explicit RougeScorer(bool stem = false) : words_(stem) {}

  RougeScores score(std::string_view candidate, std::string_view reference);

 private:
  std::size_t union_hits(const NumberedWords& candidate, const NumberedWords& reference);

  RougeWords words_;
  CommonSubsequence subsequence_;
  std::vector<std::int32_t> left_in_candidate_, left_in_reference_;  ///< by word number; 0 between
  std::vector<char> marked_;
};

}  // namespace fastformer::metrics
