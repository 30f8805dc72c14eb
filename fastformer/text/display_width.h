#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fastformer::text {

/// The number of terminal columns that a text takes: two for a wide character (UAX 11) or an emoji,
/// none for a combining character.
std::size_t display_width(std::string_view text);

/// Pads the text with spaces on the right to `width` columns; a wider text is returned unchanged.
std::string padded(std::string_view text, std::size_t width);

}  // namespace fastformer::text
