#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fastformer::text {

/// Up to four word numbers in a row, as one value that can be compared.
struct Ngram {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const Ngram&) const = default;
};

inline constexpr std::size_t kLongestNgram = 4;

/// The n-grams of `words` in rising order, repeated ones as often as they occur. Throws
/// std::invalid_argument unless 1 <= n <= 4.
std::vector<Ngram> sorted_ngrams(std::span<const std::int32_t> words, std::size_t n);

/// How many n-grams two sorted lists share: each counts as often as in the list that has it less.
std::size_t shared_ngrams(std::span<const Ngram> first, std::span<const Ngram> second);

}  // namespace fastformer::text
