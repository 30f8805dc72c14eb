#include "fastformer/metrics/rouge/rouge.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace fastformer::metrics {

namespace {

constexpr std::size_t kBits = 64;

}  // namespace

void CommonSubsequence::set_reference(std::span<const std::int32_t> reference) {
  for (const auto word : reference_) slots_[static_cast<std::size_t>(word)] = -1;
  reference_.assign(reference.begin(), reference.end());
  blocks_ = (reference.size() + kBits - 1) / kBits;
  // The places of each word one after another: their number, where they begin, then themselves.
  std::vector<std::size_t> last_block;
  first_.assign(1, 0);
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const auto word = static_cast<std::size_t>(reference[i]);
    if (word >= slots_.size()) slots_.resize(word + 1, -1);
    if (slots_[word] < 0) {
      slots_[word] = static_cast<std::int32_t>(last_block.size());
      last_block.push_back(blocks_);
      first_.push_back(0);
    }
    const auto slot = static_cast<std::size_t>(slots_[word]);
    if (last_block[slot] != i / kBits) ++first_[slot + 1];
    last_block[slot] = i / kBits;
  }
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
  places_.assign(first_.back(), {});
  std::vector<std::size_t> next(first_.begin(), first_.end() - 1);
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const auto slot = static_cast<std::size_t>(slots_[static_cast<std::size_t>(reference[i])]);
    const bool begun = next[slot] > first_[slot] && places_[next[slot] - 1].block == i / kBits;
    auto& place = places_[begun ? next[slot] - 1 : next[slot]++];
    place.block = i / kBits;
    place.bits |= Bits{1} << i % kBits;
  }
}

std::span<const CommonSubsequence::Place> CommonSubsequence::places_of(std::int32_t word) const {
  const auto index = static_cast<std::size_t>(word);
  if (index >= slots_.size() || slots_[index] < 0) return {};
  const auto slot = static_cast<std::size_t>(slots_[index]);
  return std::span(places_).subspan(first_[slot], first_[slot + 1] - first_[slot]);
}

void CommonSubsequence::advance(std::int32_t word, Bits* v) const {
  const auto places = places_of(word);
  Bits carry = 0;
  for (std::size_t p = 0; p < places.size(); ++p) {
    auto b = places[p].block;
    const Bits matches = v[b] & places[p].bits;
    const Bits sum = v[b] + matches, carried = sum + carry;
    carry = static_cast<Bits>(sum < v[b]) | static_cast<Bits>(carried < sum);
    v[b] = carried | (v[b] - matches);
    // Blocks without the word change by the carry alone, until one takes it.
    const auto end = p + 1 < places.size() ? places[p + 1].block : blocks_;
    for (++b; carry != 0 && b < end; ++b) {
      carry = static_cast<Bits>(v[b] == ~Bits{0});
      v[b] |= v[b] + 1;
    }
  }
}

std::size_t CommonSubsequence::length(std::span<const std::int32_t> candidate) {
  rows_.assign(blocks_, ~Bits{0});
  for (const auto word : candidate) advance(word, rows_.data());
  std::size_t zeros = 0;  // bits behind the reference's end stay ones
  for (const auto v : rows_) zeros += static_cast<std::size_t>(std::popcount(~v));
  return zeros;
}

void CommonSubsequence::advance_rows(std::span<const std::int32_t> words, Bits* rows) const {
  for (const auto word : words) {
    std::copy(rows, rows + blocks_, rows + blocks_);
    rows += blocks_;
    advance(word, rows);
  }
}

void CommonSubsequence::mark(std::span<const std::int32_t> candidate, std::vector<char>& marked) {
  constexpr std::size_t kLeast = 256;
  const auto step =
      std::max(kLeast, static_cast<std::size_t>(std::sqrt(static_cast<double>(candidate.size()))));
  // V before each `step` words; between them it is computed again on the way back.
  const auto parts = (candidate.size() + step - 1) / step;
  saved_.assign(parts * blocks_, ~Bits{0});
  for (std::size_t part = 0; part + 1 < parts; ++part) {
    Bits* const v = saved_.data() + (part + 1) * blocks_;
    std::copy(v - blocks_, v, v);
    for (const auto word : candidate.subspan(part * step, step)) advance(word, v);
  }
  std::size_t i = reference_.size(), j = candidate.size();
  for (auto part = parts; part-- > 0 && i > 0;) {
    const auto first = part * step;
    const auto words = candidate.subspan(first, std::min(step, candidate.size() - first));
    rows_.resize((words.size() + 1) * blocks_);
    std::copy_n(saved_.data() + part * blocks_, blocks_, rows_.data());
    advance_rows(words, rows_.data());
    while (i > 0 && j > first) {
      if (reference_[i - 1] == candidate[j - 1]) {
        marked[--i] = 1;
        --j;
        continue;
      }
      // Where the words differ, the length grows at i only by what the candidate had before j.
      const Bits v = rows_[(j - first) * blocks_ + (i - 1) / kBits];
      const bool grows = (v >> (i - 1) % kBits & 1) == 0;
      grows ? --j : --i;
    }
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

void RougeScores::take_better(const RougeScores& other) {
  for (const auto kind : {&RougeScores::rouge1, &RougeScores::rouge2, &RougeScores::rouge_l,
                          &RougeScores::rouge_lsum}) {
    if ((other.*kind).f > (this->*kind).f) this->*kind = other.*kind;
  }
  reference_words = std::max(reference_words, other.reference_words);
}

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

namespace {

void check_length(const NumberedWords& text) {
  constexpr std::size_t kMostWords = 65'536, kMostLines = 4'096;
  if (text.words.size() <= kMostWords && text.sentence_ends.size() <= kMostLines) return;
  throw std::invalid_argument("a text of " + std::to_string(text.words.size()) + " words in " +
                              std::to_string(text.sentence_ends.size()) +
                              " lines is too long for ROUGE, whose time grows with the product of "
                              "both lengths; give at most 65,536 words in 4,096 lines");
}

}  // namespace

// Words that are used up count no more, as in Lin's ROUGE-1.5.5.
std::size_t RougeScorer::union_hits(const NumberedWords& candidate,
                                    const NumberedWords& reference) {
  left_in_candidate_.resize(words_.size());
  left_in_reference_.resize(words_.size());
  for (const auto word : candidate.words) ++left_in_candidate_[static_cast<std::size_t>(word)];
  for (const auto word : reference.words) ++left_in_reference_[static_cast<std::size_t>(word)];
  // Equal sentences mark the same places.
  std::vector<Words> others;
  visit_sentences(candidate, [&](Words sentence) { others.push_back(sentence); });
  std::ranges::sort(others,
                    [](Words a, Words b) { return std::ranges::lexicographical_compare(a, b); });
  const auto repeated =
      std::ranges::unique(others, [](Words a, Words b) { return std::ranges::equal(a, b); });
  others.erase(repeated.begin(), repeated.end());
  std::size_t hits = 0;
  visit_sentences(reference, [&](Words sentence) {
    marked_.assign(sentence.size(), 0);
    subsequence_.set_reference(sentence);
    for (const auto other : others) subsequence_.mark(other, marked_);
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
  check_length(ours);
  check_length(theirs);
  RougeScores scores;
  scores.reference_words = theirs.words.size();
  scores.rouge1 = rouge_n(ours.words, sorted_ngrams(theirs.words, 1), 1);
  scores.rouge2 = rouge_n(ours.words, sorted_ngrams(theirs.words, 2), 2);
  subsequence_.set_reference(theirs.words);
  scores.rouge_l =
      rouge_score(subsequence_.length(ours.words), ours.words.size(), theirs.words.size());
  scores.rouge_lsum = rouge_score(union_hits(ours, theirs), ours.words.size(), theirs.words.size());
  return scores;
}

}  // namespace fastformer::metrics
