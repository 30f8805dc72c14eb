#include "fastformer/text/characters.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>

namespace fastformer::text {
namespace {

constexpr std::size_t kLongestCharacter = 4;

std::string_view head_of(std::string_view text) {
  return text.substr(0, std::min(text.size(), kLongestCharacter));
}

std::string_view tail_of(std::string_view text) {
  return text.substr(text.size() - std::min(text.size(), kLongestCharacter));
}

struct Decoded {
  char32_t character;
  std::size_t length;
};

Decoded first_of(std::string_view text) {
  const auto head = head_of(text);
  std::int32_t at = 0;
  UChar32 character = 0;
  U8_NEXT_OR_FFFD(head.data(), at, static_cast<std::int32_t>(head.size()), character);
  return {static_cast<char32_t>(character), static_cast<std::size_t>(at)};
}

Decoded last_of(std::string_view text) {
  const auto tail = tail_of(text);
  auto at = static_cast<std::int32_t>(tail.size());
  UChar32 character = 0;
  U8_PREV_OR_FFFD(tail.data(), 0, at, character);
  return {static_cast<char32_t>(character), tail.size() - static_cast<std::size_t>(at)};
}

}  // namespace

char32_t first_character(std::string_view text) { return first_of(text).character; }
char32_t last_character(std::string_view text) { return last_of(text).character; }
std::size_t first_length(std::string_view text) { return first_of(text).length; }
std::size_t last_length(std::string_view text) { return last_of(text).length; }

bool is_white_space(char32_t character) {
  return u_isUWhiteSpace(static_cast<UChar32>(character)) != 0;
}

std::string_view without_white_space(std::string_view text) {
  while (!text.empty() && is_white_space(first_character(text))) {
    text.remove_prefix(first_length(text));
  }
  while (!text.empty() && is_white_space(last_character(text))) {
    text.remove_suffix(last_length(text));
  }
  return text;
}

}  // namespace fastformer::text
