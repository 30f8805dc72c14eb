#include "fastformer/base/printable.h"

#include <cstdint>

#include "fastformer/base/format.h"

namespace fastformer::base {
namespace {

constexpr char32_t kInvalid = 0xFFFFFFFF;

struct Character {
  char32_t code = kInvalid;
  std::size_t length = 1;  // bytes
};

// The character at the head of a text that is not empty (RFC 3629, section 4).
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t code = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kLeast[length] || code > 0x10FFFF || surrogate) return {};
  return {code, length};
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

bool changes_lines(char32_t c) {
  return c == 0x2028 || c == 0x2029 || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

void append_printable(std::string_view bytes, char32_t c, std::string& shown) {
  if (c == kInvalid || c < 0x20 || c == 0x7F) {
    shown += format("\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(bytes[0])));
  } else if (is_control(c) || changes_lines(c)) {
    shown += format("\\u%04x", static_cast<unsigned>(c));
  } else {
    shown += bytes;
  }
}

}  // namespace

std::string printable(std::string_view text) { return excerpt(text, std::string_view::npos); }

std::string excerpt(std::string_view text, std::size_t limit) {
  std::string shown;
  while (!text.empty()) {
    if (shown.size() >= limit) return shown + "...";
    const auto [code, length] = first_character(text);
    append_printable(text.substr(0, length), code, shown);
    text.remove_prefix(length);
  }
  return shown;
}

bool has_control_characters(std::string_view text) {
  while (!text.empty()) {
    const auto [code, length] = first_character(text);
    if (is_control(code)) return true;
    text.remove_prefix(length);
  }
  return false;
}

}  // namespace fastformer::base
