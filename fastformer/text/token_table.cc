#include "fastformer/text/token_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "fastformer/base/random.h"

namespace fastformer::text {

std::uint64_t TokenTable::hash_of(std::string_view text) {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15;
  std::uint64_t hash = text.size() * kFactor, block = 0;
  for (; text.size() >= sizeof block; text.remove_prefix(sizeof block)) {
    std::memcpy(&block, text.data(), sizeof block);
    hash = std::rotl((hash ^ block) * kFactor, 29);
  }
  block = 0;
  std::memcpy(&block, text.data(), text.size());
  return base::mix64((hash ^ block) * kFactor);
}

std::size_t TokenTable::slot_of(std::string_view text, std::uint64_t hash) const {
  const auto mask = slots_.size() - 1;
  const auto low = static_cast<std::uint32_t>(hash);
  for (auto i = first_slot(hash);; i = (i + 1) & mask) {
    const auto& slot = slots_[i];
    if (slot.number < 0) return i;
    if (slot.hash == low && std::string_view(texts_).substr(slot.begin, slot.size) == text) {
      return i;
    }
  }
}

void TokenTable::reserve(std::size_t count) {
  if (2 * count <= slots_.size()) return;
  std::vector<Slot> old(std::bit_ceil(std::max<std::size_t>(2 * count, 16)));
  old.swap(slots_);
  for (const auto& slot : old) {
    if (slot.number < 0) continue;
    const auto text = std::string_view(texts_).substr(slot.begin, slot.size);
    slots_[slot_of(text, hash_of(text))] = slot;
  }
}

void TokenTable::add(std::string_view text, std::int32_t number) {
  if (texts_.size() + text.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw std::invalid_argument("the texts of a vocabulary exceed 4 GB");
  }
  if (2 * (used_ + 1) > slots_.size()) reserve(std::max<std::size_t>(2 * used_, 8));
  const auto hash = hash_of(text);
  auto& slot = slots_[slot_of(text, hash)];
  if (slot.number < 0) {
    ++used_;
    slot.hash = static_cast<std::uint32_t>(hash);
    slot.begin = static_cast<std::uint32_t>(texts_.size());
    slot.size = static_cast<std::uint32_t>(text.size());
    texts_ += text;
  }
  slot.number = number;
}

}  // namespace fastformer::text
