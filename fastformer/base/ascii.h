#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace fastformer::base {

/// Converts 'A' to 'Z' to lower case; returns every other byte unchanged.
constexpr char ascii_lowercase(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline std::string ascii_lowercase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = ascii_lowercase(c);
  return lower;
}

/// Whether the texts are equal except for the case of ASCII letters.
constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](char c, char d) { return ascii_lowercase(c) == ascii_lowercase(d); });
}

/// Removes leading and trailing bytes that are in `blanks`.
constexpr std::string_view trimmed(std::string_view text, std::string_view blanks = " \t\r\n") {
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

}  // namespace fastformer::base
