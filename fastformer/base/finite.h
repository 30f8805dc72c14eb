#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace fastformer::base {

/// Whether no number is infinite or NaN. The loops have no branch, so that the compiler uses
/// vectors: models are checked while they load.
inline bool all_finite(std::span<const float> values) {
  constexpr std::uint32_t kExponent = 0x7F80'0000;
  bool finite = true;
  for (const float x : values) finite &= (std::bit_cast<std::uint32_t>(x) & kExponent) != kExponent;
  return finite;
}
inline bool all_finite(std::span<const double> values) {
  constexpr std::uint64_t kExponent = 0x7FF0'0000'0000'0000;
  bool finite = true;
  for (const double x : values) {
    finite &= (std::bit_cast<std::uint64_t>(x) & kExponent) != kExponent;
  }
  return finite;
}
/// The same for bfloat16, the upper half of a float.
inline bool all_finite(std::span<const std::uint16_t> values) {
  constexpr std::uint16_t kExponent = 0x7F80;
  bool finite = true;
  for (const auto x : values) finite &= (x & kExponent) != kExponent;
  return finite;
}

}  // namespace fastformer::base
