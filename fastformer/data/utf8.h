#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fastformer::data {

/// Where `text` stops being well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing
/// above U+10FFFF, nothing cut off; npos for text that is well-formed throughout. ASCII is checked
/// eight bytes at a time.
std::size_t find_invalid_utf8(std::string_view text);

/// Throws std::invalid_argument that starts with `where`, names the byte and says what to do, when
/// `text` is not UTF-8 or holds a NUL byte.
void check_text(std::string_view text, const std::string& where);

/// Puts U+FFFD in place of each NUL byte and each ill-formed sequence; returns their number.
std::int64_t replace_invalid(std::string& text);

}  // namespace fastformer::data
