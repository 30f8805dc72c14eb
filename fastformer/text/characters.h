#pragma once

#include <cstddef>
#include <string_view>

namespace fastformer::text {

/// The first and the last character of a text that is not empty, as code points; U+FFFD for bytes
/// that are not UTF-8.
char32_t first_character(std::string_view text);
char32_t last_character(std::string_view text);
/// Their numbers of bytes.
std::size_t first_length(std::string_view text);
std::size_t last_length(std::string_view text);

/// Whether a character is white space of Unicode.
bool is_white_space(char32_t character);
/// The text without white space of Unicode around it.
std::string_view without_white_space(std::string_view text);

}  // namespace fastformer::text
