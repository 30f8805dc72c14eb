#pragma once

#include <span>
#include <string>
#include <string_view>

namespace fastformer::text {

/// Texts as one line: each run of white space becomes a space, and there is a space between two
/// texts; but nothing between two characters of Chinese or Japanese.
///
///   in_one_line(std::array<std::string_view, 2>{"It rained\nin May.", "Nobody minded."});
///   // "It rained in May. Nobody minded."
std::string in_one_line(std::span<const std::string_view> texts);

}  // namespace fastformer::text
