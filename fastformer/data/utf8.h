#pragma once

#include <string>
#include <string_view>

namespace fastformer::data {

/// Whether `text` is well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above
/// U+10FFFF, nothing cut off. ASCII is checked eight bytes at a time.
bool valid_utf8(std::string_view text);

/// Throws std::invalid_argument that starts with `where` and says how to convert the file, when
/// `text` is not UTF-8 or holds a NUL byte.
void check_text(std::string_view text, const std::string& where);

}  // namespace fastformer::data
