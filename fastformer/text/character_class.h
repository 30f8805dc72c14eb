#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace fastformer::text {

/// What a character outside ASCII means for the words around it.
enum class CharacterClass : std::uint8_t {
  kLetter,      ///< letters, digits, marks, symbols, and what is not UTF-8: part of a word
  kSpace,       ///< between words
  kMark,        ///< punctuation of any script: a token of its own
  kMiddle,      ///< a mark that stays inside a word, as in Catalan l·l or Hebrew צה״ל
  kJoiner,      ///< ZWNJ and ZWJ, which stay inside a word
  kDictionary,  ///< of a script without blanks between words: Chinese, Japanese, Thai, Khmer, ...
  kEmoji,       ///< begins an emoji, a token with all its parts
};

struct Character {
  CharacterClass kind;
  std::size_t length;  ///< bytes
};

/// The character at the head of `text`, which begins with a byte from 0x80 on.
Character character_at(std::string_view text);

/// Bytes of the characters at the head of `text` that belong to scripts without blanks.
std::size_t dictionary_run(std::string_view text);
/// Calls `visit` with each word of such a run, as ICU's dictionaries cut it, until it returns
/// false; returns whether it never did.
bool visit_dictionary_words(std::string_view run,
                            const std::function<bool(std::string_view)>& visit);

/// Calls `visit` with each letter or digit of `text` and the marks on it, until it returns false;
/// nothing else is visited.
void visit_characters(std::string_view text, const std::function<bool(std::string_view)>& visit);

/// Bytes of the emoji at the head of `text`: with skin tone, ZWJ sequence, flag and the like.
std::size_t emoji_length(std::string_view text);

}  // namespace fastformer::text
