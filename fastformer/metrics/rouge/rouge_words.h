#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/text/normalizer.h"
#include "fastformer/text/vocabulary.h"

namespace fastformer::metrics {

/// A text as the numbers of its words; sentence s ends before words[sentence_ends[s]].
struct NumberedWords {
  std::vector<std::int32_t> words;
  std::vector<std::size_t> sentence_ends;  ///< a sentence is a line with at least one word
};

/// What counts as a word: as in rouge-score, for English; the words of any script, see
/// text::visit_words, without punctuation; or each letter and digit, with its marks.
enum class RougeTokens : std::uint8_t { kRouge, kUnicode, kCharacter };

/// Splits texts into words as ROUGE does and numbers them from 0; equal words have equal numbers.
///
///   RougeWords words;
///   words.number("The cat.\nA dog").words;  // 0 1 2 3: the, cat, a, dog
///
/// The rule of RougeTokens::kRouge is that of Google's rouge-score: after conversion to lower case,
/// each run of [a-z0-9] is a word, and everything else, including accented letters, separates
/// words. (U+0130 and U+212A become i and k in lower case.) The others compare texts in the form
/// NFKC and lower case. With stemming, words of more than three characters are replaced by
/// porter_stem().
///
/// Stores every distinct word that it has seen. Use each object from one thread.
class RougeWords {
 public:
  explicit RougeWords(bool stem = false, RougeTokens tokens = RougeTokens::kRouge)
      : stem_(stem), tokens_(tokens), normalizer_({}) {}

  NumberedWords number(std::string_view text);
  /// Number of distinct words so far; all word numbers are smaller.
  std::size_t size() const { return static_cast<std::size_t>(next_); }

 private:
  using Numbers = std::unordered_map<std::string, std::int32_t, text::StringHash, std::equal_to<>>;

  NumberedWords number_rouge(std::string_view text);
  NumberedWords number_unicode(std::string_view text);
  std::int32_t number_of(const std::string& word);
  std::int32_t number_in(Numbers& numbers, const std::string& word);

  bool stem_;
  RougeTokens tokens_;
  text::Normalizer normalizer_;
  std::int32_t next_ = 0;
  Numbers numbers_;  ///< of words as they are in texts
  Numbers stems_;    ///< of stems; only with stemming
  std::string word_;
};

/// The words by which summaries are compared with a reference in its script: single letters if most
/// letters belong to scripts without spaces, those of rouge-score if 99 % are a to z or digits, the
/// words of any script otherwise. A text without letters counts as English.
RougeTokens rouge_tokens_of(std::string_view reference);

/// Whether words of a kind are stemmed: those of English, for which the stemmer is made.
inline bool has_stems(RougeTokens tokens) { return tokens == RougeTokens::kRouge; }

/// Up to four consecutive word numbers, packed into one comparable value.
struct Ngram {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const Ngram&) const = default;
};

inline constexpr std::size_t kLongestNgram = 4;

/// The n-grams of `words` in ascending order, including repetitions. Throws std::invalid_argument
/// unless 1 <= n <= 4.
std::vector<Ngram> sorted_ngrams(std::span<const std::int32_t> words, std::size_t n);

/// The number of n-grams that two sorted lists share; repeats count as in the list with fewer.
std::size_t shared_ngrams(std::span<const Ngram> first, std::span<const Ngram> second);

}  // namespace fastformer::metrics

namespace fastformer::base {
template <>
inline constexpr std::array kWords<metrics::RougeTokens> = {"rouge", "unicode", "character"};
}  // namespace fastformer::base
