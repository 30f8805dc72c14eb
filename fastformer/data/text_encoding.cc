#include "fastformer/data/text_encoding.h"

#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>

#include <array>
#include <stdexcept>

#include "fastformer/data/utf8.h"

namespace fastformer::data {
namespace {

UConverter* open_converter(const char* encoding) {
  UErrorCode status = U_ZERO_ERROR;
  UConverter* const converter = ucnv_open(encoding, &status);
  if (U_SUCCESS(status)) return converter;
  throw std::invalid_argument(
      "data.encoding is '" + std::string(encoding) +
      "', which is not a known encoding; use a name that iconv -l lists, such as windows-1252, "
      "ISO-8859-2, UTF-16LE, GB18030, Shift_JIS or KOI8-R");
}

// Counts what ICU's own callback replaces by U+FFFD.
void substitute(const void* context, UConverterToUnicodeArgs* arguments, const char* units,
                int32_t length, UConverterCallbackReason reason, UErrorCode* status) {
  if (reason <= UCNV_IRREGULAR) {
    ++*static_cast<std::int64_t*>(const_cast<void*>(context));
  }
  UCNV_TO_U_CALLBACK_SUBSTITUTE(nullptr, arguments, units, length, reason, status);
}

}  // namespace

void TextEncoding::visit_fields(base::FieldVisitor& visit) {
  visit("encoding", encoding,
        "encoding of the files, such as \"windows-1252\"; empty: that of the byte order mark, or "
        "UTF-8");
  visit("invalid_utf8", invalid_utf8,
        "what to do with invalid bytes: stop (error) or replace them by U+FFFD");
}

ByteOrderMark byte_order_mark(std::string_view bytes) {
  using namespace std::string_view_literals;
  struct Mark {
    std::string_view bytes;
    const char* encoding;
  };
  // The mark of UTF-32LE begins with that of UTF-16LE.
  static constexpr std::array kMarks = {
      Mark{"\xEF\xBB\xBF"sv, "UTF-8"}, Mark{"\xFF\xFE\0\0"sv, "UTF-32LE"},
      Mark{"\0\0\xFE\xFF"sv, "UTF-32BE"}, Mark{"\xFF\xFE"sv, "UTF-16LE"},
      Mark{"\xFE\xFF"sv, "UTF-16BE"}};
  for (const auto& mark : kMarks) {
    if (bytes.starts_with(mark.bytes)) return {mark.encoding, mark.bytes.size()};
  }
  return {};
}

std::string likely_encoding(std::string_view bytes) {
  if (const auto mark = byte_order_mark(bytes); mark.encoding != nullptr) return mark.encoding;
  constexpr std::size_t kLongestCharacter = 4;
  const auto invalid = find_invalid_utf8(bytes);
  const bool zeros = bytes.find('\0') != std::string_view::npos;
  if (!zeros && (invalid == std::string_view::npos || invalid + kLongestCharacter > bytes.size())) {
    return "UTF-8";
  }
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UCharsetDetector, decltype(&ucsdet_close)> detector(ucsdet_open(&status),
                                                                            &ucsdet_close);
  ucsdet_setText(detector.get(), bytes.data(), static_cast<int32_t>(bytes.size()), &status);
  const auto* const match = ucsdet_detect(detector.get(), &status);
  const char* const name = match != nullptr ? ucsdet_getName(match, &status) : nullptr;
  if (U_FAILURE(status) || name == nullptr) return "windows-1252";
  // What calls itself ISO-8859-1 is windows-1252, which has the same characters and more.
  return std::string(name) == "ISO-8859-1" ? "windows-1252" : name;
}

bool is_utf8(const std::string& encoding) {
  return encoding.empty() || ucnv_compareNames(encoding.c_str(), "UTF-8") == 0;
}

void TextDecoder::Close::operator()(UConverter* converter) const { ucnv_close(converter); }

TextDecoder::TextDecoder(const std::string& encoding, InvalidText invalid)
    : encoding_(encoding),
      source_(open_converter(encoding.c_str())),
      target_(open_converter("UTF-8")),
      replaced_(std::make_unique<std::int64_t>(0)) {
  UErrorCode status = U_ZERO_ERROR;
  const bool replace = invalid == InvalidText::kReplace;
  ucnv_setToUCallBack(source_.get(), replace ? substitute : UCNV_TO_U_CALLBACK_STOP,
                      replace ? replaced_.get() : nullptr, nullptr, nullptr, &status);
}

std::string TextDecoder::decode(std::string_view bytes, bool last, const std::string& name) {
  std::string text;
  std::array<UChar, 4096> wide;
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  UErrorCode status = U_BUFFER_OVERFLOW_ERROR;
  while (status == U_BUFFER_OVERFLOW_ERROR) {
    status = U_ZERO_ERROR;
    UChar* unit = wide.data();
    ucnv_toUnicode(source_.get(), &unit, wide.data() + wide.size(), &at, end, nullptr, last,
                   &status);
    std::array<char, 3 * 4096 + 4> utf8;
    char* out = utf8.data();
    const UChar* wide_at = wide.data();
    UErrorCode written = U_ZERO_ERROR;
    ucnv_fromUnicode(target_.get(), &out, utf8.data() + utf8.size(), &wide_at, unit, nullptr,
                     last && status != U_BUFFER_OVERFLOW_ERROR, &written);
    text.append(utf8.data(), static_cast<std::size_t>(out - utf8.data()));
  }
  offset_ += at - bytes.data();
  if (U_FAILURE(status)) {
    throw std::invalid_argument(name + ": the bytes before byte " + std::to_string(offset_ + 1) +
                                " are not valid in the encoding " + encoding_ +
                                "; correct data.encoding, or set data.invalid_utf8 = \"replace\"");
  }
  return text;
}

}  // namespace fastformer::data
