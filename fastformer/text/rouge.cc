#include "fastformer/text/rouge.h"

namespace fastformer::text {
namespace {

using Words = std::span<const std::int32_t>;

template <class Visit>
void visit_sentences(const NumberedWords& text, Visit&& visit) {
  std::size_t begin = 0;
  for (const auto end : text.sentence_ends) {
    visit(Words(text.words).subspan(begin, end - begin));
    begin = end;
  }
}

}  // namespace

RougeScore rouge_score(std::size_t shared, std::size_t candidate, std::size_t reference) {
  RougeScore score;
  if (shared == 0) return score;
  score.precision = static_cast<double>(shared) / static_cast<double>(candidate);
  score.recall = static_cast<double>(shared) / static_cast<double>(reference);
  score.f = 2 * score.precision * score.recall / (score.precision + score.recall);
  return score;
}

RougeScore rouge_n(Words candidate, std::span<const Ngram> reference, std::size_t n) {
  const auto ngrams = sorted_ngrams(candidate, n);
  return rouge_score(shared_ngrams(ngrams, reference), ngrams.size(), reference.size());
}

// Words that are used up count no more, as in Lin's ROUGE-1.5.5.
std::size_t RougeScorer::union_hits(const NumberedWords& candidate,
                                    const NumberedWords& reference) {
  left_in_candidate_.resize(words_.size());
  left_in_reference_.resize(words_.size());
  for (const auto word : candidate.words) ++left_in_candidate_[static_cast<std::size_t>(word)];
  for (const auto word : reference.words) ++left_in_reference_[static_cast<std::size_t>(word)];
  std::size_t hits = 0;
  visit_sentences(reference, [&](Words sentence) {
    marked_.assign(sentence.size(), 0);
    subsequence_.set_reference(sentence);
    visit_sentences(candidate, [&](Words other) { subsequence_.mark(other, marked_); });
    for (std::size_t i = 0; i < sentence.size(); ++i) {
      auto& ours = left_in_candidate_[static_cast<std::size_t>(sentence[i])];
      auto& theirs = left_in_reference_[static_cast<std::size_t>(sentence[i])];
      if (marked_[i] == 0 || ours == 0 || theirs == 0) continue;
      --ours;
      --theirs;
      ++hits;
    }
  });
  for (const auto word : candidate.words) left_in_candidate_[static_cast<std::size_t>(word)] = 0;
  for (const auto word : reference.words) left_in_reference_[static_cast<std::size_t>(word)] = 0;
  return hits;
}

RougeScores RougeScorer::score(std::string_view candidate, std::string_view reference) {
  const auto ours = words_.number(candidate), theirs = words_.number(reference);
  RougeScores scores;
  scores.rouge1 = rouge_n(ours.words, sorted_ngrams(theirs.words, 1), 1);
  scores.rouge2 = rouge_n(ours.words, sorted_ngrams(theirs.words, 2), 2);
  subsequence_.set_reference(theirs.words);
  scores.rouge_l =
      rouge_score(subsequence_.length(ours.words), ours.words.size(), theirs.words.size());
  scores.rouge_lsum = rouge_score(union_hits(ours, theirs), ours.words.size(), theirs.words.size());
  return scores;
}

}  // namespace fastformer::text
