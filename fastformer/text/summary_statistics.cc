#include "fastformer/text/summary_statistics.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace fastformer::text {
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

}  // namespace fastformer::text
