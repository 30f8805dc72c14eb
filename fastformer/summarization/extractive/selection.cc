#include "fastformer/summarization/extractive/selection.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/metrics/rouge/rouge_words.h"
#include "fastformer/text/one_line.h"

namespace fastformer::summarization {
namespace {

using text::Sentence;
using Words = std::vector<std::int32_t>;
using Indices = std::vector<std::size_t>;

// The words of sentences, numbered when they are first needed.
class SentenceWords {
 public:
  explicit SentenceWords(std::span<const Sentence> sentences)
      : sentences_(sentences), words_(sentences.size()) {}

  const Words& of(std::size_t sentence) {
    auto& words = words_[sentence];
    if (!words) words = numbers_.number(sentences_[sentence].text).words;
    return *words;
  }

  std::size_t total() {
    std::size_t total = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) total += of(i).size();
    return total;
  }

 private:
  std::span<const Sentence> sentences_;
  std::vector<std::optional<Words>> words_;
  metrics::RougeWords numbers_{/*stem=*/false, metrics::RougeTokens::kUnicode};
};

Words distinct(Words words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

// The share of a's words that b has, both distinct and ascending.
double overlap(const Words& a, const Words& b) {
  Words both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return a.empty() ? 0 : static_cast<double>(both.size()) / static_cast<double>(a.size());
}

class Selector {
 public:
  Selector(std::span<const Sentence> sentences, std::span<const double> scores,
           const SelectionConfig& config)
      : sentences_(sentences), scores_(scores), config_(config), words_(sentences) {
    if (config.words > 0) most_words_ = static_cast<std::size_t>(config.words);
    if (config.ratio > 0) {
      const auto share = config.ratio * static_cast<double>(words_.total());
      most_words_ = std::min(most_words_.value_or(SIZE_MAX), static_cast<std::size_t>(share));
    }
  }

  Indices select() {
    auto all = text::text_sentences(sentences_);
    std::stable_sort(all.begin(), all.end(),
                     [&](auto a, auto b) { return scores_[a] > scores_[b]; });
    std::span<const std::size_t> rest(all);
    if (config_.redundancy == Redundancy::kMmr) {
      const auto first = rest.first(std::min(rest.size(), kMostRelevant));
      take_by_relevance({first.begin(), first.end()});
      rest = rest.subspan(first.size());
    }
    take_by_score(rest);
    if (chosen_.empty() && !all.empty()) chosen_.push_back(all.front());
    std::sort(chosen_.begin(), chosen_.end());
    return std::move(chosen_);
  }

 private:
  bool full() const { return config_.sentences > 0 && std::ssize(chosen_) == config_.sentences; }

  bool fits(std::size_t sentence) {
    return !most_words_ || words_taken_ + words_.of(sentence).size() <= *most_words_;
  }

  bool repeats(std::size_t sentence) {
    if (config_.redundancy != Redundancy::kTrigram) return false;
    const auto trigrams = metrics::sorted_ngrams(words_.of(sentence), 3);
    return std::any_of(trigrams.begin(), trigrams.end(),
                       [&](const auto& trigram) { return trigrams_.contains(trigram); });
  }

  void take(std::size_t sentence) {
    chosen_.push_back(sentence);
    if (most_words_) words_taken_ += words_.of(sentence).size();
    if (config_.redundancy != Redundancy::kTrigram) return;
    const auto trigrams = metrics::sorted_ngrams(words_.of(sentence), 3);
    trigrams_.insert(trigrams.begin(), trigrams.end());
  }

  void take_by_score(std::span<const std::size_t> candidates) {
    for (const auto sentence : candidates) {
      if (full()) return;
      if (fits(sentence) && !repeats(sentence)) take(sentence);
    }
  }

  struct Relevant {
    std::size_t sentence;
    Words words;         // distinct
    double overlap = 0;  // with the chosen sentences
  };

  void take_by_relevance(const Indices& candidates) {
    std::vector<Relevant> left;
    for (const auto sentence : candidates) {
      left.push_back({sentence, distinct(words_.of(sentence))});
    }
    const auto value = [&](const Relevant& one) {
      return (1 - config_.mmr_weight) * scores_[one.sentence] - config_.mmr_weight * one.overlap;
    };
    while (!full()) {
      std::erase_if(left, [&](const auto& one) { return !fits(one.sentence); });
      if (left.empty()) return;
      // Of equal values, the first in the order of the scores.
      const auto best =
          std::max_element(left.begin(), left.end(),
                           [&](const auto& a, const auto& b) { return value(a) < value(b); });
      const auto taken = std::move(*best);
      left.erase(best);
      take(taken.sentence);
      for (auto& other : left) {
        other.overlap = std::max(other.overlap, overlap(other.words, taken.words));
      }
    }
  }

  std::span<const Sentence> sentences_;
  std::span<const double> scores_;
  const SelectionConfig& config_;
  SentenceWords words_;
  std::optional<std::size_t> most_words_;
  std::size_t words_taken_ = 0;
  std::set<metrics::Ngram> trigrams_;  ///< of the chosen sentences; only for kTrigram
  Indices chosen_;
};

}  // namespace

std::vector<std::size_t> select_sentences(std::span<const Sentence> sentences,
                                          std::span<const double> scores,
                                          const SelectionConfig& config) {
  config.validate();
  if (sentences.size() != scores.size()) {
    throw std::invalid_argument(std::to_string(sentences.size()) + " sentences, but " +
                                std::to_string(scores.size()) + " scores; expected one each");
  }
  return Selector(sentences, scores, config).select();
}

std::string joined(std::span<const Sentence> sentences, std::span<const std::size_t> chosen) {
  std::vector<std::string_view> texts;
  for (const auto sentence : chosen) texts.push_back(sentences[sentence].text);
  return text::in_one_line(texts);
}

}  // namespace fastformer::summarization
