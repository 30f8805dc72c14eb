#include "fastformer/text/character_class.h"

#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>

namespace fastformer::text {
namespace {

bool needs_dictionary(UChar32 c) {
  constexpr UChar32 kThai = 0x0E00;
  if (c < kThai) return false;
  // Marks that Hiragana and Katakana share.
  if (c == 0x30FC || c == 0xFF70 || c == 0x30A0 || (c >= 0x3031 && c <= 0x3035)) return true;
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(c, &status)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
      return true;
    default:
      return false;
  }
}

// Symbols such as (c) and arrows, which are emoji only if a selector follows, stay with their
// words.
bool begins_emoji(UChar32 c) {
  constexpr UChar32 kMiscellaneousSymbols = 0x2600;
  return u_hasBinaryProperty(c, UCHAR_EMOJI_PRESENTATION) ||
         (c >= kMiscellaneousSymbols && u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC));
}

CharacterClass class_of(UChar32 c) {
  // Controls from 0x80 on are mostly signs of windows-1252, read as Latin-1.
  constexpr UChar32 kBehindControls = 0xA0, kLatinLetters = 0xC0, kBehindLatin = 0x250;
  if (c < kBehindControls || (c >= kLatinLetters && c < kBehindLatin)) {
    return CharacterClass::kLetter;
  }
  if (c >= 0x2010 && c <= 0x2027) return CharacterClass::kMark;  // most of English's
  if (u_isUWhiteSpace(c)) return CharacterClass::kSpace;
  if (c == 0x200C || c == 0x200D) return CharacterClass::kJoiner;
  if (c >= 0x2000 && c <= 0x206F) return CharacterClass::kMark;
  if (u_ispunct(c)) {
    return u_getIntPropertyValue(c, UCHAR_WORD_BREAK) == U_WB_MIDLETTER ? CharacterClass::kMiddle
                                                                        : CharacterClass::kMark;
  }
  if (needs_dictionary(c)) return CharacterClass::kDictionary;
  if (c >= 0x3000 && c <= 0x303F) return CharacterClass::kMark;
  return begins_emoji(c) ? CharacterClass::kEmoji : CharacterClass::kLetter;
}

UChar32 decode(std::string_view text, std::size_t& length) {
  const auto size = static_cast<int32_t>(std::min<std::size_t>(text.size(), U8_MAX_LENGTH));
  int32_t i = 0;
  UChar32 c;
  U8_NEXT(text.data(), i, size, c);
  length = static_cast<std::size_t>(i);
  return c;
}

using Rules = std::unique_ptr<icu::BreakIterator>;

Rules checked(icu::BreakIterator* rules, UErrorCode status) {
  Rules owned(rules);
  if (U_SUCCESS(status)) return owned;
  throw std::runtime_error(std::string("ICU has no rules for words: ") + u_errorName(status) +
                           "; install ICU's data");
}

struct CloseText {
  void operator()(UText* text) const { utext_close(text); }
};
using Text = std::unique_ptr<UText, CloseText>;

Text open_text(std::string_view text, icu::BreakIterator& rules) {
  UErrorCode status = U_ZERO_ERROR;
  Text opened(
      utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &status));
  rules.setText(opened.get(), status);
  if (U_SUCCESS(status)) return opened;
  throw std::runtime_error("ICU cannot read a text of " + std::to_string(text.size()) +
                           " bytes: " + u_errorName(status));
}

}  // namespace

Character character_at(std::string_view text) {
  Character character{};
  character.kind = class_of(decode(text, character.length));
  return character;
}

std::size_t dictionary_run(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size()) {
    std::size_t length = 0;
    const UChar32 c = decode(text.substr(end), length);
    const bool extends = c >= 0 && (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0;
    if (!extends && (c < 0x80 || class_of(c) != CharacterClass::kDictionary)) break;
    end += length;
  }
  return end;
}

bool visit_dictionary_words(std::string_view run,
                            const std::function<bool(std::string_view)>& visit) {
  UErrorCode status = U_ZERO_ERROR;
  // Made once a thread: dictionaries take a while to open.
  thread_local const Rules rules =
      checked(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status), status);
  const auto text = open_text(run, *rules);
  std::size_t begin = 0;
  for (auto end = rules->next(); end != icu::BreakIterator::DONE; end = rules->next()) {
    const auto stop = static_cast<std::size_t>(end);
    if (!visit(run.substr(begin, stop - begin))) return false;
    begin = stop;
  }
  return true;
}

void visit_characters(std::string_view text, const std::function<bool(std::string_view)>& visit) {
  std::size_t begin = 0, end = 0;  // of the character that marks may follow; empty: none
  for (std::size_t i = 0; i < text.size();) {
    std::size_t length = 0;
    const UChar32 c = decode(text.substr(i), length);
    const bool mark = c >= 0 && (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0;
    if (mark && end > begin && end == i) {
      end += length;
    } else {
      if (end > begin && !visit(text.substr(begin, end - begin))) return;
      begin = i;
      end = c >= 0 && u_isalnum(c) ? i + length : i;
    }
    i += length;
  }
  if (end > begin) visit(text.substr(begin, end - begin));
}

std::size_t emoji_length(std::string_view text) {
  constexpr std::size_t kLongestSequence = 128;
  UErrorCode status = U_ZERO_ERROR;
  thread_local const Rules rules =
      checked(icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status), status);
  text = text.substr(0, kLongestSequence);
  const auto opened = open_text(text, *rules);
  const auto end = rules->next();
  return end == icu::BreakIterator::DONE ? text.size() : static_cast<std::size_t>(end);
}

}  // namespace fastformer::text
