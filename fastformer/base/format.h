#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fastformer::base {

/// Formats as printf does; the compiler checks the arguments against the pattern.
///
///   base::format("accuracy %.4f", accuracy);
[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);

/// The number as 16 hexadecimal digits.
std::string hexadecimal(std::uint64_t number);

/// The candidate with the smallest edit distance to `word`. Empty if none is near, that is, if more
/// than half of the characters would have to change, or if `word` is longer than 100 bytes.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "; did you mean 'x'?" for the nearest candidate, or "; valid: a, b, c" if none is near, with the
/// first fifty candidates at most.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace fastformer::base
