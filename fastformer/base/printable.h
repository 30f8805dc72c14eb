#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fastformer::base {

/// `text` as it can be shown in one line on any terminal: control characters, line separators and
/// marks that change the direction of writing as \x1b or \u202e, bytes that are not UTF-8 as \xff.
std::string printable(std::string_view text);

/// What a message quotes of a file or of another library: printable, and cut to about `limit`
/// bytes, so that no file decides how long a message is.
///
///   throw std::invalid_argument(where + ": unknown label '" + base::excerpt(label) + "'");
std::string excerpt(std::string_view text, std::size_t limit = 100);

/// Whether `text` has a control character (of ASCII or Unicode), line breaks and tabs included.
bool has_control_characters(std::string_view text);

}  // namespace fastformer::base
