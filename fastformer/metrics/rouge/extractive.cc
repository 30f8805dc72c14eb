#include "fastformer/metrics/rouge/extractive.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "fastformer/base/random.h"
#include "fastformer/metrics/rouge/rouge.h"
#include "fastformer/metrics/rouge/rouge_words.h"

namespace fastformer::metrics {

namespace {

using Chosen = std::vector<std::size_t>;
using Words = std::vector<std::int32_t>;

Chosen all_sentences(std::size_t sentences) {
  Chosen chosen(sentences);
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  return chosen;
}

// The n-grams of a reference, and how many of them a growing summary shares.
class SharedNgrams {
 public:
  SharedNgrams(const Words& reference, std::size_t n) : n_(n) {
    for (const auto& ngram : sorted_ngrams(reference, n)) {
      if (distinct_.empty() || distinct_.back() != ngram) {
        distinct_.push_back(ngram);
        wanted_.push_back(0);
      }
      ++wanted_.back();
      ++total_;
    }
    taken_.resize(distinct_.size());
  }

  // The places of a text's n-grams that the reference has too.
  std::vector<std::size_t> places_of(std::span<const std::int32_t> words) const {
    std::vector<std::size_t> places;
    for (const auto& ngram : sorted_ngrams(words, n_)) {
      const auto found = std::lower_bound(distinct_.begin(), distinct_.end(), ngram);
      if (found != distinct_.end() && *found == ngram) {
        places.push_back(static_cast<std::size_t>(found - distinct_.begin()));
      }
    }
    return places;
  }

  void add(std::span<const std::size_t> places) {
    for (const auto place : places) {
      if (taken_[place]++ < wanted_[place]) ++shared_;
    }
  }
  void remove(std::span<const std::size_t> places) {
    for (const auto place : places) {
      if (--taken_[place] < wanted_[place]) --shared_;
    }
  }

  // F of a summary with so many n-grams.
  double f(std::size_t ngrams) const { return rouge_score(shared_, ngrams, total_).f; }

 private:
  std::size_t n_;
  std::vector<Ngram> distinct_;
  std::vector<std::size_t> wanted_, taken_;
  std::size_t total_ = 0, shared_ = 0;
};

// ROUGE-1 F + ROUGE-2 F of summaries that differ by one sentence, in time linear in that sentence.
class GrowingSummary {
 public:
  GrowingSummary(const std::vector<Words>& sentences, const Words& reference)
      : sentences_(sentences), words_(reference, 1), pairs_(reference, 2) {
    for (const auto& sentence : sentences) {
      word_places_.push_back(words_.places_of(sentence));
      pair_places_.push_back(pairs_.places_of(sentence));
    }
  }

  const Chosen& chosen() const { return chosen_; }

  // The score with one more sentence, which has words.
  double score_with(std::size_t sentence) {
    const auto place = std::lower_bound(chosen_.begin(), chosen_.end(), sentence);
    const auto changed = change(sentence, place);
    apply(sentence, changed);
    const auto score = words_.f(size_) + pairs_.f(size_ - 1);
    pairs_.remove(changed.joined);
    pairs_.add(changed.parted);
    pairs_.remove(pair_places_[sentence]);
    words_.remove(word_places_[sentence]);
    size_ -= sentences_[sentence].size();
    return score;
  }

  void add(std::size_t sentence) {
    const auto place = std::lower_bound(chosen_.begin(), chosen_.end(), sentence);
    apply(sentence, change(sentence, place));
    chosen_.insert(place, sentence);
  }

 private:
  // The pairs of words across the borders of sentences that an addition makes and removes.
  struct Change {
    std::vector<std::size_t> joined, parted;
  };

  Change change(std::size_t sentence, Chosen::iterator next) const {
    const auto& words = sentences_[sentence];
    Change changed;
    const auto border = [&](std::int32_t left, std::int32_t right) {
      const std::array pair = {left, right};
      return pairs_.places_of(pair);
    };
    const auto join = [&](std::int32_t left, std::int32_t right) {
      for (const auto place : border(left, right)) changed.joined.push_back(place);
    };
    const bool has_former = next != chosen_.begin(), has_next = next != chosen_.end();
    if (has_former) join(sentences_[*(next - 1)].back(), words.front());
    if (has_next) join(words.back(), sentences_[*next].front());
    if (has_former && has_next) {
      changed.parted = border(sentences_[*(next - 1)].back(), sentences_[*next].front());
    }
    return changed;
  }

  void apply(std::size_t sentence, const Change& changed) {
    size_ += sentences_[sentence].size();
    words_.add(word_places_[sentence]);
    pairs_.add(pair_places_[sentence]);
    pairs_.remove(changed.parted);
    pairs_.add(changed.joined);
  }

  const std::vector<Words>& sentences_;
  SharedNgrams words_, pairs_;
  std::vector<std::vector<std::size_t>> word_places_, pair_places_;  ///< of each sentence
  Chosen chosen_;                                                    ///< ascending
  std::size_t size_ = 0;                                             ///< words
};

}  // namespace

Chosen lead_sentences(std::size_t sentences, std::size_t count) {
  return all_sentences(std::min(sentences, count));
}

Chosen random_sentences(std::size_t sentences, std::size_t count, std::uint64_t seed) {
  Chosen chosen = all_sentences(sentences);
  base::Random(seed).shuffle(chosen);
  chosen.resize(std::min(sentences, count));
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::string join_sentences(std::span<const std::string_view> sentences,
                           std::span<const std::size_t> chosen) {
  std::string text;
  for (const auto sentence : chosen) {
    if (!text.empty()) text += '\n';
    text += sentences[sentence];
  }
  return text;
}

ExtractiveOracle::Judgement ExtractiveOracle::judge(std::span<const std::string_view> sentences,
                                                    std::string_view reference, std::size_t limit) {
  std::vector<Words> words;
  for (const auto sentence : sentences) words.push_back(words_.number(sentence).words);
  GrowingSummary summary(words, words_.number(reference).words);
  Judgement judgement;
  // A sentence without a word of the reference cannot raise the score.
  std::vector<std::size_t> left;
  for (std::size_t sentence = 0; sentence < sentences.size(); ++sentence) {
    const double gain = words[sentence].empty() ? 0 : summary.score_with(sentence) / 2;
    judgement.gains.push_back(gain);
    if (gain > 0) left.push_back(sentence);
  }
  double best_score = 0;
  while (limit == 0 || summary.chosen().size() < limit) {
    auto best = left.end();
    for (auto sentence = left.begin(); sentence != left.end(); ++sentence) {
      const double score = summary.score_with(*sentence);
      if (score <= best_score) continue;
      best_score = score;
      best = sentence;
    }
    if (best == left.end()) break;
    summary.add(*best);
    left.erase(best);
  }
  judgement.chosen = summary.chosen();
  return judgement;
}

namespace {

std::vector<Ngram> distinct(std::vector<Ngram> sorted) {
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

double share(std::size_t part, std::size_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

SummaryStatistics SummaryMeter::measure(std::string_view document, std::string_view summary) {
  const auto document_words = words_.number(document).words;
  const auto summary_words = words_.number(summary).words;
  SummaryStatistics statistics{.document_words = document_words.size(),
                               .summary_words = summary_words.size()};
  for (std::size_t n = 1; n <= kLongestNgram; ++n) {
    NgramShares& shares = statistics.ngrams[n - 1];
    auto ngrams = sorted_ngrams(summary_words, n);
    shares.total = ngrams.size();
    if (ngrams.empty()) continue;
    const auto kinds = distinct(std::move(ngrams));
    const auto known = distinct(sorted_ngrams(document_words, n));
    shares.novel = share(kinds.size() - shared_ngrams(kinds, known), kinds.size());
    shares.repeated = share(shares.total - kinds.size(), shares.total);
  }
  return statistics;
}

}  // namespace fastformer::metrics
