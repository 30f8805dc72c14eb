#include "fastformer/data/utf8.h"

#include <unicode/utf8.h>

#include <cstring>
#include <stdexcept>

#include "fastformer/base/format.h"

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

std::size_t find_invalid_utf8(std::string_view text) {
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
    if (at == text.size()) break;
    const std::size_t length = character_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

void check_text(std::string_view text, const std::string& where) {
  if (const auto at = text.find('\0'); at != std::string_view::npos) {
    throw std::invalid_argument(
        where + ": byte " + std::to_string(at + 1) +
        " is NUL, which text never contains; if the file is UTF-16 without a byte order mark, set "
        "data.encoding = \"UTF-16LE\" or convert it with: iconv -f UTF-16LE -t UTF-8 OLD > NEW");
  }
  if (const auto at = find_invalid_utf8(text); at != std::string_view::npos) {
    throw std::invalid_argument(base::format(
        "%s: byte %zu (0x%02X) is not UTF-8; if it is Western European text, convert it with: "
        "iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW, or name its encoding in the recipe, such as "
        "data.encoding = \"windows-1252\", or set data.invalid_utf8 = \"replace\"",
        where.c_str(), at + 1, static_cast<unsigned>(static_cast<unsigned char>(text[at]))));
  }
}

std::int64_t replace_invalid(std::string& text) {
  if (text.find('\0') == std::string::npos && find_invalid_utf8(text) == std::string::npos) {
    return 0;
  }
  constexpr UChar32 kReplacement = 0xFFFD;
  std::int64_t count = 0;
  std::string whole;
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < size;) {
    const int32_t begin = i;
    UChar32 c;
    U8_NEXT(text.data(), i, size, c);
    if (c > 0) {
      whole.append(text, static_cast<std::size_t>(begin), static_cast<std::size_t>(i - begin));
      continue;
    }
    ++count;
    char bytes[U8_MAX_LENGTH];
    int32_t length = 0;
    U8_APPEND_UNSAFE(bytes, length, kReplacement);
    whole.append(bytes, static_cast<std::size_t>(length));
  }
  text = std::move(whole);
  return count;
}

}  // namespace fastformer::data
