#include "fastformer/text/ngrams.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace fastformer::text {

std::vector<Ngram> sorted_ngrams(std::span<const std::int32_t> words, std::size_t n) {
  if (n < 1 || n > kLongestNgram) {
    throw std::invalid_argument("sorted_ngrams: n is " + std::to_string(n) +
                                ", but must be from 1 to 4");
  }
  std::vector<Ngram> ngrams;
  if (words.size() < n) return ngrams;
  ngrams.reserve(words.size() - n + 1);
  for (std::size_t i = 0; i + n <= words.size(); ++i) {
    Ngram ngram;
    for (std::size_t k = 0; k < n; ++k) {
      ngram.high = ngram.high << 32 | ngram.low >> 32;
      ngram.low = ngram.low << 32 | static_cast<std::uint32_t>(words[i + k]);
    }
    ngrams.push_back(ngram);
  }
  std::sort(ngrams.begin(), ngrams.end());
  return ngrams;
}

std::size_t shared_ngrams(std::span<const Ngram> first, std::span<const Ngram> second) {
  std::size_t shared = 0;
  for (std::size_t i = 0, j = 0; i < first.size() && j < second.size();) {
    const auto order = first[i] <=> second[j];
    if (order == 0) ++shared;
    if (order <= 0) ++i;
    if (order >= 0) ++j;
  }
  return shared;
}

}  // namespace fastformer::text
