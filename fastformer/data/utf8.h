#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fastformer::data {

/// The position where `text` stops being well-formed UTF-8 (RFC 3629: no overlong forms,
/// surrogates, code points above U+10FFFF or incomplete characters); npos if all of it is
/// well-formed. ASCII is checked eight bytes at a time.
std::size_t find_invalid_utf8(std::string_view text);

/// Throws std::invalid_argument if `text` is not UTF-8 or contains a NUL byte. The message starts
/// with `where`, names the byte, and says what to do.
void check_text(std::string_view text, const std::string& where);

/// Replaces each NUL byte and each ill-formed sequence with U+FFFD; returns their number.
std::int64_t replace_invalid(std::string& text);

}  // namespace fastformer::data
