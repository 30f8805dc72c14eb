#include "fastformer/text/one_line.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <cstddef>

#include "fastformer/text/characters.h"

namespace fastformer::text {
namespace {

// Whether a character is of Chinese or Japanese.
bool is_ideographic(char32_t character) {
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(static_cast<UChar32>(character), &status)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
      return true;
    default:
      return false;
  }
}

// Whether the letter nearest to the end, or to the beginning, of a text is of these scripts.
bool ends_ideographic(std::string_view text) {
  while (!text.empty() && u_ispunct(static_cast<UChar32>(last_character(text))) != 0) {
    text.remove_suffix(last_length(text));
  }
  return !text.empty() && is_ideographic(last_character(text));
}

bool begins_ideographic(std::string_view text) {
  while (!text.empty() && u_ispunct(static_cast<UChar32>(first_character(text))) != 0) {
    text.remove_prefix(first_length(text));
  }
  return !text.empty() && is_ideographic(first_character(text));
}

void append(std::string_view part, std::string& line) {
  if (!line.empty() && !(ends_ideographic(line) && begins_ideographic(part))) line += ' ';
  line += part;
}

}  // namespace

std::string in_one_line(std::span<const std::string_view> texts) {
  std::string line;
  for (auto rest : texts) {
    while (!(rest = without_white_space(rest)).empty()) {
      std::size_t end = 0;
      while (end < rest.size() && !is_white_space(first_character(rest.substr(end)))) {
        end += first_length(rest.substr(end));
      }
      append(rest.substr(0, end), line);
      rest.remove_prefix(end);
    }
  }
  return line;
}

}  // namespace fastformer::text
