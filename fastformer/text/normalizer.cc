#include "fastformer/text/normalizer.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <utility>

namespace fastformer::text {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

icu::UnicodeString normalized(const icu::UnicodeString& text,
                              const icu::Normalizer2* (*instance)(UErrorCode&)) {
  UErrorCode status = U_ZERO_ERROR;
  const auto* normalizer = instance(status);
  auto result = U_SUCCESS(status) ? normalizer->normalize(text, status) : icu::UnicodeString();
  if (U_FAILURE(status)) {
    throw std::runtime_error(std::string("a text cannot be normalized (") + u_errorName(status) +
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

// The entity at the head of `text`: its replacement and length, or length 0 when there is none.
std::pair<std::string, std::size_t> decode_entity(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kNamed = {
      {{"&amp;", "&"},
       {"&lt;", "<"},
       {"&gt;", ">"},
       {"&quot;", "\""},
       {"&apos;", "'"},
       {"&nbsp;", " "}}};
  for (const auto& [name, value] : kNamed) {
    if (text.starts_with(name)) return {std::string(value), name.size()};
  }
  if (!text.starts_with("&#")) return {"", 0};
  const bool hexadecimal = text.size() > 2 && (text[2] == 'x' || text[2] == 'X');
  const char* first = text.data() + (hexadecimal ? 3 : 2);
  const char* last = text.data() + std::min<std::size_t>(text.size(), 12);
  if (first >= last) return {"", 0};
  UChar32 code = 0;
  const auto [end, error] = std::from_chars(first, last, code, hexadecimal ? 16 : 10);
  if (error != std::errc() || end == last || *end != ';' || code <= 0 || code > 0x10FFFF) {
    return {"", 0};
  }
  std::string utf8;
  icu::UnicodeString(code).toUTF8String(utf8);
  return {utf8, static_cast<std::size_t>(end - text.data()) + 1};
}

// Length of the tag at the head of `text` ('<' first), or 0 when it is only a "less than".
std::size_t tag_length(std::string_view text) {
  constexpr std::size_t kLongestTag = 1000;  // bounds the search, so that "<a <a <a" stays linear
  if (text.size() < 3) return 0;
  if (!is_ascii_letter(text[1]) && text[1] != '/' && text[1] != '!') return 0;
  const auto close = text.substr(0, kLongestTag).find_first_of("<>", 1);
  return close != std::string_view::npos && text[close] == '>' ? close + 1 : 0;
}

}  // namespace

std::int32_t icu_size(std::string_view text) {
  if (text.size() <= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    return static_cast<std::int32_t>(text.size());
  }
  throw std::invalid_argument("a text has " + std::to_string(text.size()) +
                              " bytes, more than the 2 GB that can be read at once; divide it");
}

std::string strip_markup(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto rest = text.substr(i);
    if (text[i] == '<') {
      if (const auto length = tag_length(rest); length > 0) {
        plain += ' ';
        i += length;
        continue;
      }
    } else if (text[i] == '&') {
      if (const auto [value, length] = decode_entity(rest); length > 0) {
        plain += value;
        i += length;
        continue;
      }
    }
    plain += text[i++];
  }
  return plain;
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
  std::string plain(text);
  if (lowercase_) {
    for (char& c : plain) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return plain;
}

std::string Normalizer::normalize_unicode(std::string_view text) const {
  auto wide = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), icu_size(text)));
  if (form_ != UnicodeForm::kNone || strip_accents_) wide = with_few_marks(wide);
  wide = to_form(form_, wide);
  if (lowercase_) wide.toLower(icu::Locale::getRoot());
  if (strip_accents_) {
    wide = to_form(form_, without_marks(normalized(wide, icu::Normalizer2::getNFDInstance)));
  }
  std::string utf8;
  wide.toUTF8String(utf8);
  return utf8;
}

}  // namespace fastformer::text
