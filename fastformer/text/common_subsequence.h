#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fastformer::text {

/// The longest common subsequence of one sequence of word numbers with many others, 64 words of it
/// at a time: the bits of V say where the length does not grow along the reference, and each word c
/// of the candidate changes them by V <- (V + (V & M_c)) | (V & ~M_c), where M_c are the places of
/// c (Crochemore et al. 2001, "A fast and practical bit-vector algorithm for the longest common
/// subsequence problem"; Hyyrö 2004).
///
///   CommonSubsequence matcher;
///   matcher.set_reference(reference);            // m words
///   const auto length = matcher.length(candidate);  // n words: time n m / 64
///
/// Word numbers are small and not negative; the memory grows with the largest of them. An object
/// belongs to one thread.
class CommonSubsequence {
 public:
  void set_reference(std::span<const std::int32_t> reference);

  std::size_t length(std::span<const std::int32_t> candidate);

  /// Sets, in `marked` [m], the places of one longest common subsequence in the reference, and
  /// leaves the rest. Among several it is the one that rouge-score finds: from the ends, equal
  /// words are taken, else the candidate's last word goes if the length without it is greater than
  /// without the reference's, else the reference's. Memory n m / 8 bytes.
  void mark(std::span<const std::int32_t> candidate, std::vector<char>& marked);

 private:
  using Bits = std::uint64_t;

  const Bits* places_of(std::int32_t word) const;
  void advance(std::int32_t word, const Bits* from, Bits* to) const;

  std::vector<std::int32_t> reference_;
  std::size_t blocks_ = 0;           ///< 64 places each
  std::vector<std::int32_t> slots_;  ///< of each word number: where its places are, -1: nowhere
  std::vector<Bits> places_;         ///< [distinct words, blocks]
  std::vector<Bits> history_;        ///< V, or all its values while a subsequence is to be marked
};

}  // namespace fastformer::text
