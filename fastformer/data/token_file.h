#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

/// The layout that TokenSet and TokenSetWriter share.
namespace fastformer::data {

struct TokenFileHeader {
  std::array<char, 8> magic = {'F', 'F', 'T', 'O', 'K', 'E', 'N', 'S'};
  std::uint32_t version = 1;
  std::uint32_t byte_order = 0x01020304;
  std::int64_t rows = 0;
  std::int64_t tokens = 0;
  std::int64_t truncated = 0;
  std::uint64_t checksum = 0;  ///< of tokens, offsets, labels and the three counts, in this order
  std::array<std::int64_t, 2> reserved = {};
};
static_assert(sizeof(TokenFileHeader) == 64);

inline constexpr std::uint64_t kChecksumStart = 0xCBF29CE484222325;

/// FNV-1a taking a whole number at a time, because bytes would be several times slower; the
/// rotation brings the high bits, which a product never moves down, into play.
template <class T>
std::uint64_t checksum(std::span<const T> values, std::uint64_t hash) {
  for (const T value : values) {
    hash = std::rotl(hash ^ static_cast<std::uint64_t>(value), 29) * 0x100000001B3;
  }
  return hash;
}

inline std::uint64_t checksum(const TokenFileHeader& header, std::uint64_t hash) {
  const std::array<std::int64_t, 3> counts = {header.rows, header.tokens, header.truncated};
  return checksum(std::span<const std::int64_t>(counts), hash);
}

/// Where the offsets begin: the tokens end at a multiple of 4 bytes, offsets need 8.
inline std::size_t offsets_position(std::int64_t tokens) {
  return sizeof(TokenFileHeader) + (static_cast<std::size_t>(tokens) + 1) / 2 * 8;
}

}  // namespace fastformer::data
