#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fastformer::text {

/// The columns of a terminal that a text takes: two for a wide character (UAX 11) or an emoji, none
/// for what combines with the one before it.
std::size_t display_width(std::string_view text);

/// The text with blanks behind it, so that it takes `width` columns; a wider one is not cut.
std::string padded(std::string_view text, std::size_t width);

}  // namespace fastformer::text
