#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fastformer::text {

/// Texts to numbers: a flat hash table with linear probing, which reads one line of memory for most
/// lookups. A text that is added again gets the new number.
class TokenTable {
 public:
  /// -1 for a text that the table does not have.
  std::int32_t find(std::string_view text) const { return find(text, hash_of(text)); }
  std::int32_t find(std::string_view text, std::uint64_t hash) const {
    return slots_.empty() ? -1 : slots_[slot_of(text, hash)].number;
  }
  static std::uint64_t hash_of(std::string_view text);
  /// Starts loading the memory that find() will read for a text with this hash.
  void prefetch(std::uint64_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[first_slot(hash)]);
  }
  void add(std::string_view text, std::int32_t number);
  void reserve(std::size_t count);

 private:
  struct Slot {
    std::uint32_t hash = 0, begin = 0, size = 0;  // the text is texts_[begin, begin + size)
    std::int32_t number = -1;                     // -1: the slot is free
  };

  std::size_t first_slot(std::uint64_t hash) const {
    return static_cast<std::size_t>(hash >> 32) & (slots_.size() - 1);
  }
  std::size_t slot_of(std::string_view text, std::uint64_t hash) const;

  std::vector<Slot> slots_;  // a power of two of them, at most half of them in use
  std::size_t used_ = 0;
  std::string texts_;
};

}  // namespace fastformer::text
