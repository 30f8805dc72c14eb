#include "fastformer/data/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace fastformer::data {
namespace {

// Length of the well-formed multi-byte character at `at`, 0 where there is none. The second byte's
// range carries all the exceptions of the standard (RFC 3629, section 4).
std::size_t character_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned lead = byte(0);
  std::size_t length = 0;
  unsigned lowest = 0x80, highest = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) lowest = 0xA0;
    if (lead == 0xED) highest = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) lowest = 0x90;
    if (lead == 0xF4) highest = 0x8F;
  }
  if (length == 0 || text.size() - at < length) return 0;
  if (byte(1) < lowest || byte(1) > highest) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

bool valid_utf8(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t word = 0;
    while (text.size() - at >= sizeof(word)) {
      std::memcpy(&word, text.data() + at, sizeof(word));
      if ((word & kHighBits) != 0) break;
      at += sizeof(word);
    }
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
    if (at == text.size()) return true;
    const std::size_t length = character_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

void check_text(std::string_view text, const std::string& where) {
  if (text.find('\0') != std::string_view::npos) {
    throw std::invalid_argument(where +
                                ": contains a NUL byte, which text never does; if the file is "
                                "UTF-16, convert it with: iconv -f UTF-16 -t UTF-8 OLD > NEW");
  }
  if (!valid_utf8(text)) {
    throw std::invalid_argument(where +
                                ": is not UTF-8; convert the file, for Western European text "
                                "with: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW");
  }
}

}  // namespace fastformer::data
