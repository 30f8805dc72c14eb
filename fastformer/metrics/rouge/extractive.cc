#include "fastformer/metrics/rouge/extractive.h"

#include <algorithm>
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

Chosen with(const Chosen& chosen, std::size_t sentence) {
  Chosen more = chosen;
  more.insert(std::upper_bound(more.begin(), more.end(), sentence), sentence);
  return more;
}

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

Chosen ExtractiveOracle::choose(std::span<const std::string_view> sentences,
                                std::string_view reference, std::size_t limit) {
  std::vector<Words> words;
  for (const auto sentence : sentences) words.push_back(words_.number(sentence).words);
  const Words target = words_.number(reference).words;
  const auto words_of_target = sorted_ngrams(target, 1), pairs_of_target = sorted_ngrams(target, 2);
  const auto score = [&](const Chosen& chosen) {
    Words summary;
    for (const auto sentence : chosen) {
      summary.insert(summary.end(), words[sentence].begin(), words[sentence].end());
    }
    return rouge_n(summary, words_of_target, 1).f + rouge_n(summary, pairs_of_target, 2).f;
  };
  Chosen best;
  double best_score = 0;
  for (bool better = true; better && (limit == 0 || best.size() < limit);) {
    better = false;
    const Chosen before = best;
    for (std::size_t sentence = 0; sentence < sentences.size(); ++sentence) {
      if (std::binary_search(before.begin(), before.end(), sentence)) continue;
      const Chosen candidate = with(before, sentence);
      const double candidate_score = score(candidate);
      if (candidate_score <= best_score) continue;
      best_score = candidate_score;
      best = candidate;
      better = true;
    }
  }
  return best;
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
