#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

/// Hashes and random numbers that are the same on every platform, unlike std::hash, std::shuffle
/// and the distributions of the standard library.
namespace fastformer::base {

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): each input bit affects every output bit.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

/// FNV-1a over bytes. To continue a hash, pass the previous result as `hash`.
constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t hash = 0xCBF29CE484222325) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

inline constexpr std::uint64_t kChecksumStart = 0xCBF29CE484222325;

/// FNV-1a with one whole number per step instead of one byte, which is several times faster. The
/// rotation is needed because a multiplication never moves high bits down. To continue a checksum,
/// pass the previous result as `hash`.
template <class T>
std::uint64_t checksum(std::span<const T> values, std::uint64_t hash = kChecksumStart) {
  for (const T value : values) {
    hash = std::rotl(hash ^ static_cast<std::uint64_t>(value), 29) * 0x100000001B3;
  }
  return hash;
}

/// The SplitMix64 generator (Steele, Lea, Flood 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15;
    return mix64(state_);
  }

  /// Uniform in [0, bound); bound > 0. Unbiased: rejects the numbers below 2^64 mod bound.
  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t rejected = (0 - bound) % bound;
    std::uint64_t number = next();
    while (number < rejected) number = next();
    return number % bound;
  }

  /// The Fisher-Yates shuffle.
  template <class T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  std::uint64_t state_;
};

}  // namespace fastformer::base
