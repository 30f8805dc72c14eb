#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "fastformer/text/common_subsequence.h"
#include "fastformer/text/ngrams.h"
#include "fastformer/text/rouge_words.h"

namespace fastformer::text {

/// What a summary shares with a reference.
struct RougeScore {
  double precision = 0;  ///< the share of the candidate
  double recall = 0;     ///< the share of the reference
  double f = 0;          ///< harmonic mean of the two; 0 where both are 0
};

struct RougeScores {
  RougeScore rouge1, rouge2, rouge_l, rouge_lsum;
};

/// The score of `shared` out of so many in the candidate and in the reference.
RougeScore rouge_score(std::size_t shared, std::size_t candidate, std::size_t reference);

/// ROUGE-N of word numbers against the sorted_ngrams of a reference; 1 <= n <= 4.
RougeScore rouge_n(std::span<const std::int32_t> candidate, std::span<const Ngram> reference,
                   std::size_t n);

/// ROUGE (Lin 2004, "ROUGE: a package for automatic evaluation of summaries") with the numbers of
/// Google's rouge-score package: words and stems as RougeWords has them;
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
/// A text without words scores 0. An object belongs to one thread and remembers the words it met.
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

}  // namespace fastformer::text
