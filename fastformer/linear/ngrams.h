#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "fastformer/text/normalizer.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::linear {

/// Which n-grams of a text are used as features.
struct NgramConfig {
  std::int64_t words = 3;       ///< longest sequence of words, up to kMaximumWords
  std::int64_t characters = 5;  ///< longest sequence of characters within a word; 0: none

  static constexpr std::int64_t kMaximumWords = 4;
  static constexpr std::int64_t kMaximumCharacters = 8;
  static constexpr std::int64_t kMinimumCharacters = 2;

  void visit_fields(base::FieldVisitor& visit) {
    visit("words", words, "longest sequence of words", base::between(1, kMaximumWords));
    visit("characters", characters, "longest sequence of characters within a word; 0: none",
          base::between(0, kMaximumCharacters));
  }
  void validate() const {}
};

/// The units of an n-gram.
enum class NgramKind : std::uint8_t { kWords, kCharacters };

/// A hash of an n-gram. Its three lowest bits hold the number of words; 0: an n-gram of characters.
class NgramKey {
 public:
  NgramKey() = default;
  explicit NgramKey(std::uint64_t value) : value_(value) {}
  static NgramKey of_words(std::uint64_t hash, std::int64_t words) {
    return NgramKey((hash & ~kMask) | static_cast<std::uint64_t>(words));
  }
  static NgramKey of_characters(std::uint64_t hash) { return NgramKey(hash & ~kMask); }

  std::uint64_t value() const { return value_; }
  NgramKind kind() const {
    return (value_ & kMask) == 0 ? NgramKind::kCharacters : NgramKind::kWords;
  }
  /// Number of words; 0 for an n-gram of characters.
  std::int64_t words() const { return static_cast<std::int64_t>(value_ & kMask); }

 private:
  static constexpr std::uint64_t kMask = 7;
  std::uint64_t value_ = 0;
};

/// An n-gram and its position in a text.
struct Ngram {
  NgramKey key;
  std::string_view text;
  bool begins_word = true, ends_word = true;  ///< whether it starts or ends at a word border

  /// In readable form: "oil prices", or "^pri" and "ces$" for characters at the border of a word.
  std::string spelling() const;
};

/// A word of a text, and the sequences of words that end with it: of one word, of two, and so on.
struct NgramWord {
  std::string_view text;
  NgramKey key;  ///< equal for equal words; not the key of an n-gram
  std::span<const Ngram> sequences;
};

/// Finds the n-grams of a text: sequences of 1 to `words` words, where punctuation marks are words,
/// and sequences of 2 to `characters` characters within a word and its borders, as scikit-learn's
/// analyzer "char_wb". Reads at most 65,536 words. Immutable; safe to share between threads.
///
///   const NgramReader reader({.words = 2, .characters = 0}, text_config);
///   reader.visit("Oil prices fall", [](const Ngram& ngram) { use(ngram.key); });
class NgramReader {
 public:
  /// `text` configures the normalization. Throws std::invalid_argument for more words or characters
  /// than the maximum of `config`.
  NgramReader(const NgramConfig& config, const text::TokenizerConfig& text);

  void visit(std::string_view text, const std::function<void(const Ngram&)>& use) const;
  /// The same in two parts: each word with the sequences of words that end with it, valid during
  /// the call only; and the sequences of characters of a word.
  void visit_words(std::string_view text, const std::function<void(const NgramWord&)>& use) const;
  void visit_characters(std::string_view word, const std::function<void(const Ngram&)>& use) const;

  const NgramConfig& config() const { return config_; }

 private:
  NgramConfig config_;
  text::Normalizer normalizer_;
};

}  // namespace fastformer::linear
