#include "fastformer/text/display_width.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>

namespace fastformer::text {
namespace {

constexpr UChar32 kZeroWidthJoiner = 0x200D;

std::size_t width_of(UChar32 c) {
  if (c < 0x80) return 1;  // what is not UTF-8 shows as one sign
  constexpr auto kWithoutWidth = U_GC_MN_MASK | U_GC_ME_MASK | U_GC_CF_MASK;
  if ((U_GET_GC_MASK(c) & kWithoutWidth) != 0) return 0;
  const auto width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  const auto size = static_cast<int32_t>(text.size());
  bool joined = false;
  for (int32_t i = 0; i < size;) {
    UChar32 c;
    U8_NEXT(text.data(), i, size, c);
    if (!joined) width += width_of(c);
    joined = c == kZeroWidthJoiner;
  }
  return width;
}

std::string padded(std::string_view text, std::size_t width) {
  return std::string(text) + std::string(width - std::min(width, display_width(text)), ' ');
}

}  // namespace fastformer::text
