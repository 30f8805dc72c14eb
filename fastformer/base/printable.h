#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fastformer::base {

/// `text` in a form that any terminal can show in one line: control characters, line separators and
/// marks of writing direction become \x1b or \u202e, bytes that are not UTF-8 become \xff.
std::string printable(std::string_view text);

/// An excerpt of a file or of another library's message for use in our messages: printable and
/// truncated to about `limit` bytes, so that the input cannot make a message arbitrarily long.
///
///   throw std::invalid_argument(where + ": unknown label '" + base::excerpt(label) + "'");
std::string excerpt(std::string_view text, std::size_t limit = 100);

/// Whether `text` contains control characters (ASCII or Unicode), including line breaks and tabs.
bool has_control_characters(std::string_view text);

}  // namespace fastformer::base
