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
  std::int32_t find(std::string_view text) const {
    if (slots_.empty()) return -1;
    return slots_[slot_of(text, hash_of(text))].number;
  }
  void add(std::string_view text, std::int32_t number);
  void reserve(std::size_t count);

 private:
  struct Slot {
    std::uint32_t hash = 0, begin = 0, size = 0;  // the text is texts_[begin, begin + size)
    std::int32_t number = -1;                     // -1: the slot is free
  };

  static std::uint64_t hash_of(std::string_view text);
  std::size_t slot_of(std::string_view text, std::uint64_t hash) const;

  std::vector<Slot> slots_;  // a power of two of them, at most half of them in use
  std::size_t used_ = 0;
  std::string texts_;
};

}  // namespace fastformer::text
