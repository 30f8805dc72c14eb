#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace fastformer::base {

/// 'a' to 'z' for 'A' to 'Z'; every other byte as it is.
constexpr char ascii_lowercase(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline std::string ascii_lowercase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = ascii_lowercase(c);
  return lower;
}

/// Whether two texts differ at most in the case of ASCII letters.
constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](char c, char d) { return ascii_lowercase(c) == ascii_lowercase(d); });
}

/// `text` without the bytes of `blanks` at its ends.
constexpr std::string_view trimmed(std::string_view text, std::string_view blanks = " \t\r\n") {
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

}  // namespace fastformer::base
