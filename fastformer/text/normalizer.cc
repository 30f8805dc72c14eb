#include "fastformer/text/normalizer.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <utility>

#include "fastformer/base/ascii.h"
#include "fastformer/text/markup.h"

namespace fastformer::text {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

icu::UnicodeString normalized(const icu::UnicodeString& text,
                              const icu::Normalizer2* (*instance)(UErrorCode&)) {
  UErrorCode status = U_ZERO_ERROR;
  const auto* normalizer = instance(status);
  auto result = U_SUCCESS(status) ? normalizer->normalize(text, status) : icu::UnicodeString();
  if (U_FAILURE(status)) {
    throw std::runtime_error(std::string("the text cannot be normalized (") + u_errorName(status) +
                             "); it may be too long");
  }
  return result;
}

icu::UnicodeString to_form(UnicodeForm form, const icu::UnicodeString& text) {
  switch (form) {
    case UnicodeForm::kNfc:
      return normalized(text, icu::Normalizer2::getNFCInstance);
    case UnicodeForm::kNfkc:
      return normalized(text, icu::Normalizer2::getNFKCInstance);
    default:
      return text;
  }
}

// Forms sort the marks behind a character, in time that is quadratic in their number.
icu::UnicodeString with_few_marks(const icu::UnicodeString& text) {
  constexpr int kMostMarks = 30;
  icu::UnicodeString kept;
  int32_t begin = 0;  // of what is not in `kept` yet
  int marks = 0;
  for (int32_t i = 0; i < text.length();) {
    const UChar32 c = text.char32At(i);
    const int32_t end = i + U16_LENGTH(c);
    marks = u_getCombiningClass(c) == 0 ? 0 : marks + 1;
    if (marks > kMostMarks) {
      kept.append(text, begin, i - begin);
      begin = end;
    }
    i = end;
  }
  if (begin == 0) return text;
  return kept.append(text, begin, text.length() - begin);
}

icu::UnicodeString without_marks(const icu::UnicodeString& text) {
  icu::UnicodeString kept;
  for (int32_t i = 0; i < text.length();) {
    const UChar32 c = text.char32At(i);
    if (u_charType(c) != U_NON_SPACING_MARK) kept.append(c);
    i += U16_LENGTH(c);
  }
  return kept;
}

// Soft hyphen, word joiner, byte order mark, marks of direction: all in the first plane.
bool is_shapeless(char16_t c) {
  return c == 0xAD || c == 0x61C || c == 0x2060 || c == 0xFEFF || c == 0x200E || c == 0x200F ||
         (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

void drop_shapeless(icu::UnicodeString& text) {
  constexpr char16_t kZeroWidthSpace = 0x200B;
  const auto is_changed = [](char16_t c) { return c == kZeroWidthSpace || is_shapeless(c); };
  const char16_t* const begin = text.getBuffer();
  const char16_t* const end = begin + text.length();
  const char16_t* at = std::find_if(begin, end, is_changed);
  if (at == end) return;
  icu::UnicodeString kept(begin, static_cast<int32_t>(at - begin));
  for (; at != end; ++at) {
    if (*at == kZeroWidthSpace) {
      kept.append(u' ');
    } else if (!is_shapeless(*at)) {
      kept.append(*at);
    }
  }
  text = std::move(kept);
}

}  // namespace

std::int32_t icu_size(std::string_view text) {
  if (text.size() <= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    return static_cast<std::int32_t>(text.size());
  }
  throw std::invalid_argument("the text has " + std::to_string(text.size()) +
                              " bytes, more than the limit of 2 GB; divide it");
}

Normalizer::Normalizer(const TokenizerConfig& config)
    : form_(config.normalization),
      lowercase_(config.lowercase),
      strip_accents_(config.strip_accents),
      strip_markup_(config.strip_markup) {}

std::string Normalizer::normalize(std::string_view text) const {
  std::string owned;
  if (strip_markup_) {
    owned = strip_markup(text);
    text = owned;
  }
  if (!is_ascii(text)) return normalize_unicode(text);
  // No Unicode form changes ASCII.
  return lowercase_ ? base::ascii_lowercase(text) : std::string(text);
}

std::string Normalizer::normalize_unicode(std::string_view text) const {
  auto wide = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), icu_size(text)));
  if (form_ != UnicodeForm::kNone) drop_shapeless(wide);
  if (form_ != UnicodeForm::kNone || strip_accents_) wide = with_few_marks(wide);
  if (form_ != UnicodeForm::kNone) wide = to_form(form_, wide);
  if (lowercase_) wide.toLower(icu::Locale::getRoot());
  if (strip_accents_) {
    wide = to_form(form_, without_marks(normalized(wide, icu::Normalizer2::getNFDInstance)));
  }
  std::string utf8;
  wide.toUTF8String(utf8);
  return utf8;
}

}  // namespace fastformer::text
