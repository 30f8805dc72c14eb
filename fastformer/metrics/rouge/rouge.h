#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "fastformer/metrics/rouge/rouge_words.h"

namespace fastformer::metrics {

/// The longest common subsequence of a reference with many candidates, for 64 words of the
/// reference at a time. The zero bits of V mark the positions where the length grows along the
/// reference; each word c of the candidate changes them by V <- (V + (V & M_c)) | (V & ~M_c), where
/// M_c are the positions of c in the reference (Crochemore et al. 2001, "A fast and practical
/// bit-vector algorithm for the longest common subsequence problem"; Hyyrö 2004).
///
///   CommonSubsequence matcher;
///   matcher.set_reference(reference);               // m words
///   const auto length = matcher.length(candidate);  // n words: time n m / 64 at most
///
/// Word numbers must be small and non-negative: memory grows with the largest. Use each object from
/// one thread.
class CommonSubsequence {
 public:
  void set_reference(std::span<const std::int32_t> reference);

  std::size_t length(std::span<const std::int32_t> candidate);

  /// Sets the elements of `marked` [m] at the positions of one longest common subsequence, and
  /// leaves the others unchanged. Chooses the subsequence that rouge-score finds, from the ends:
  /// equal last words are matched; else the reference's last word is dropped if that keeps the
  /// length, otherwise the candidate's. Needs at most m max(64, sqrt(n) / 4) bytes.
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
  std::vector<std::int32_t> slots_;  ///< index in first_ by word number; -1: not in the reference
  std::vector<std::size_t> first_;   ///< [distinct words + 1] in places_
  std::vector<Place> places_;        ///< of each word in turn, by block
  std::vector<Bits> rows_, saved_;   ///< values of V, [blocks] each
};

/// The overlap of a summary with a reference.
struct RougeScore {
  double precision = 0;  ///< share of the candidate's units that match
  double recall = 0;     ///< share of the reference's units that match
  double f = 0;          ///< harmonic mean; 0 if both are 0
};

struct RougeScores {
  RougeScore rouge1, rouge2, rouge_l, rouge_lsum;
  std::size_t reference_words = 0;  ///< 0: all scores are 0

  /// Takes each kind of ROUGE from `other` where its F is larger, as rouge-score does with several
  /// references.
  void take_better(const RougeScores& other);
};

/// The score of `shared` matches, given the numbers of units in the candidate and the reference.
RougeScore rouge_score(std::size_t shared, std::size_t candidate, std::size_t reference);

/// ROUGE-N of word numbers, given the reference's sorted_ngrams() for the same n; 1 <= n <= 4.
RougeScore rouge_n(std::span<const std::int32_t> candidate, std::span<const Ngram> reference,
                   std::size_t n);

/// ROUGE (Lin 2004, "ROUGE: a package for automatic evaluation of summaries"), equal to the results
/// of Google's rouge-score package. For words and stems see RougeWords.
///
///   ROUGE-N     shared n-grams, each counted as often as in the text with fewer of it
///   ROUGE-L     the longest common subsequence of the whole texts
///   ROUGE-Lsum  for each sentence (line) of the reference, the union of its longest common
///               subsequences with all sentences of the candidate; a word counts at most as often
///               as in the text with fewer of it
///
///   RougeScorer scorer(/*stem=*/true);
///   scorer.score("the cat sat", "a cat sat down").rouge_l.f;  // 0.571
///
/// A text without words scores 0. Stores all words it has seen. Use each object from one thread.
/// score() throws std::invalid_argument for a text of more than 65,536 words or 4,096 lines.
class RougeScorer {
 public:
  explicit RougeScorer(bool stem = false, RougeTokens tokens = RougeTokens::kRouge)
      : words_(stem, tokens) {}

  RougeScores score(std::string_view candidate, std::string_view reference);

 private:
  std::size_t union_hits(const NumberedWords& candidate, const NumberedWords& reference);

  RougeWords words_;
  CommonSubsequence subsequence_;
  std::vector<std::int32_t> left_in_candidate_, left_in_reference_;  ///< by word number; else 0
  std::vector<char> marked_;
};

}  // namespace fastformer::metrics
