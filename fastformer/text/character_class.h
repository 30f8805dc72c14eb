#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace fastformer::text {

/// How a character outside ASCII affects the division of a text into words.
enum class CharacterClass : std::uint8_t {
  kLetter,      ///< letters, digits, combining marks, symbols, invalid UTF-8: part of a word
  kSpace,       ///< between words
  kMark,        ///< punctuation of any script: a token of its own
  kMiddle,      ///< a mark that stays inside a word, as in Catalan l·l or Hebrew צה״ל
  kJoiner,      ///< ZWNJ and ZWJ, which stay inside a word
  kDictionary,  ///< of a script without spaces between words: Chinese, Japanese, Thai, Khmer, ...
  kEmoji,       ///< the start of an emoji, which is one token with all its parts
};

struct Character {
  CharacterClass kind;
  std::size_t length;  ///< bytes
};

/// The first character of `text`, whose first byte must be 0x80 or above.
Character character_at(std::string_view text);

/// Bytes of the initial run of characters that belong to scripts without spaces between words.
std::size_t dictionary_run(std::string_view text);
/// Calls `visit` with each word of such a run, as divided by ICU's dictionaries, until `visit`
/// returns false. Returns false if `visit` did.
bool visit_dictionary_words(std::string_view run,
                            const std::function<bool(std::string_view)>& visit);

/// Calls `visit` with each letter or digit of `text` and its marks, until it returns false; nothing
/// else is visited.
void visit_characters(std::string_view text, const std::function<bool(std::string_view)>& visit);

/// Bytes of the emoji at the start of `text`, including its skin tone, ZWJ sequence or flag.
std::size_t emoji_length(std::string_view text);

}  // namespace fastformer::text
