#include "fastformer/text/sentencepiece_model.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace fastformer::text {
namespace {

// The fields of a protocol buffer message, as they come.
class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  struct Field {
    std::uint64_t number = 0;
    std::string_view bytes;  // of a field with a length; empty otherwise
  };

  // Nothing at the end, and where the bytes are no message, or hold groups, which no model has.
  std::optional<Field> next() {
    const auto tag = varint();
    if (!tag) return std::nullopt;
    const auto kind = *tag & 7;
    std::optional<std::uint64_t> size;
    if (kind == 1) size = 8;
    if (kind == 2) size = varint();
    if (kind == 5) size = 4;
    if (kind == 0 && varint()) size = 0;
    if (!size || *size > rest_.size()) {
      broken_ = true;
      return std::nullopt;
    }
    const Field field{*tag >> 3, kind == 2 ? rest_.substr(0, *size) : std::string_view()};
    rest_.remove_prefix(*size);
    return field;
  }
  bool whole() const { return rest_.empty() && !broken_; }

 private:
  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
      if (rest_.empty()) broken_ = true;
    }
    return std::nullopt;
  }

  std::string_view rest_;
  bool broken_ = false;
};

std::uint32_t unit_at(std::string_view bytes, std::size_t index) {
  std::uint32_t unit = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    unit |= std::uint32_t{static_cast<unsigned char>(bytes[4 * index + i])} << (8 * i);
  }
  return unit;
}

// The parts of a unit, as darts.h has them.
bool is_value(std::uint32_t unit) { return unit >> 31 == 1; }
bool has_value(std::uint32_t unit) { return (unit >> 8 & 1) == 1; }
std::size_t children(std::size_t index, std::uint32_t unit) {
  return index ^ (std::size_t{unit >> 10} << ((unit & 0x200) >> 6));
}

}  // namespace

bool has_sound_charsmaps(std::string_view model) {
  constexpr std::uint64_t kNormalizerSpec = 3, kDenormalizerSpec = 5, kCharsmap = 2;
  Message message(model);
  while (const auto field = message.next()) {
    if (field->number != kNormalizerSpec && field->number != kDenormalizerSpec) continue;
    Message spec(field->bytes);
    while (const auto inner = spec.next()) {
      if (inner->number == kCharsmap && !is_sound_charsmap(inner->bytes)) return false;
    }
    if (!spec.whole()) return false;
  }
  return message.whole();
}

bool is_sound_charsmap(std::string_view charsmap) {
  if (charsmap.empty()) return true;
  if (charsmap.size() < 4) return false;
  const std::size_t size = unit_at(charsmap, 0);
  if (size % 4 != 0 || size == 0 || size >= charsmap.size() - 4) return false;
  const auto trie = charsmap.substr(4, size), texts = charsmap.substr(4 + size);
  if (texts.back() != '\0') return false;
  const auto units = size / 4;
  for (std::size_t i = 0; i < units; ++i) {
    const auto unit = unit_at(trie, i);
    if (i > 0 && is_value(unit)) continue;  // no byte of a text leads here
    const auto first = children(i, unit);
    if ((first | 0xFF) >= units) return false;
    if (has_value(unit) && (unit_at(trie, first) & 0x7FFFFFFF) >= texts.size()) return false;
  }
  return true;
}

}  // namespace fastformer::text
