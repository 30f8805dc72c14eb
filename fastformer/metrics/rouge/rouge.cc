#include "fastformer/metrics/rouge/rouge.h"

#include <algorithm>
#include <bit>

namespace fastformer::metrics {

namespace {

constexpr std::size_t kBits = 64;

}  // namespace

void CommonSubsequence::set_reference(std::span<const std::int32_t> reference) {
  for (const auto word : reference_) slots_[static_cast<std::size_t>(word)] = -1;
  reference_.assign(reference.begin(), reference.end());
  blocks_ = (reference.size() + kBits - 1) / kBits;
  places_.clear();
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const auto word = static_cast<std::size_t>(reference[i]);
    if (word >= slots_.size()) slots_.resize(word + 1, -1);
    if (slots_[word] < 0) {
      slots_[word] = static_cast<std::int32_t>(places_.size() / blocks_);
      places_.resize(places_.size() + blocks_);
    }
    places_[static_cast<std::size_t>(slots_[word]) * blocks_ + i / kBits] |= Bits{1} << i % kBits;
  }
}

const CommonSubsequence::Bits* CommonSubsequence::places_of(std::int32_t word) const {
  const auto index = static_cast<std::size_t>(word);
  if (index >= slots_.size() || slots_[index] < 0) return nullptr;
  return places_.data() + static_cast<std::size_t>(slots_[index]) * blocks_;
}

void CommonSubsequence::advance(std::int32_t word, const Bits* from, Bits* to) const {
  const Bits* const places = places_of(word);
  if (places == nullptr) {
    if (from != to) std::copy(from, from + blocks_, to);
    return;
  }
  Bits carry = 0;
  for (std::size_t b = 0; b < blocks_; ++b) {
    const Bits v = from[b], matches = v & places[b];
    const Bits sum = v + matches, carried = sum + carry;
    carry = static_cast<Bits>(sum < v) | static_cast<Bits>(carried < sum);
    to[b] = carried | (v - matches);
  }
}

std::size_t CommonSubsequence::length(std::span<const std::int32_t> candidate) {
  history_.assign(blocks_, ~Bits{0});
  for (const auto word : candidate) advance(word, history_.data(), history_.data());
  std::size_t zeros = 0;  // bits behind the reference's end stay ones
  for (const auto v : history_) zeros += static_cast<std::size_t>(std::popcount(~v));
  return zeros;
}

void CommonSubsequence::mark(std::span<const std::int32_t> candidate, std::vector<char>& marked) {
  history_.assign(blocks_ * (candidate.size() + 1), ~Bits{0});
  for (std::size_t j = 0; j < candidate.size(); ++j) {
    Bits* const v = history_.data() + j * blocks_;
    advance(candidate[j], v, v + blocks_);
  }
  for (std::size_t i = reference_.size(), j = candidate.size(); i > 0 && j > 0;) {
    if (reference_[i - 1] == candidate[j - 1]) {
      marked[--i] = 1;
      --j;
      continue;
    }
    // Where the words differ, the length grows at i only by what the candidate had before j.
    const Bits v = history_[j * blocks_ + (i - 1) / kBits];
    const bool grows = (v >> (i - 1) % kBits & 1) == 0;
    grows ? --j : --i;
  }
}

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

}  // namespace fastformer::metrics
