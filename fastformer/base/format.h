#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fastformer::base {

/// What printf would write; the compiler checks the arguments against the pattern.
///
///   base::format("accuracy %.4f", accuracy);
[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);

/// The 16 hexadecimal digits of a number.
std::string hexadecimal(std::uint64_t number);

/// The candidate with the smallest edit distance to `word`, or an empty string when none is near
/// (more than half of the word would have to change, or it is longer than any name).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "; did you mean 'x'?" for the nearest candidate, or "; valid: a, b, c" when none is near;
/// of many, the first fifty.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace fastformer::base
