#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "fastformer/base/ascii.h"
#include "fastformer/base/printable.h"
#include "fastformer/classification/readers/formats.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/data/bad_row.h"
#include "fastformer/text/normalizer.h"

namespace fastformer::classification {
namespace {

bool is_shown(UChar32 c) {
  // Of the characters of format the joiners matter between others.
  return u_charType(c) != U_FORMAT_CHAR || c == 0x200C || c == 0x200D;
}

bool is_edge(UChar32 c) { return u_isUWhiteSpace(c) || c == 0x200C || c == 0x200D || c < 0x20; }

std::string normalized_unicode(std::string_view label) {
  auto wide = icu::UnicodeString::fromUTF8(
      icu::StringPiece(label.data(), static_cast<int32_t>(label.size())));
  icu::UnicodeString shown;
  for (int32_t i = 0; i < wide.length();) {
    const UChar32 c = wide.char32At(i);
    if (is_shown(c)) shown.append(c);
    i += U16_LENGTH(c);
  }
  while (shown.length() > 0 && is_edge(shown.char32At(shown.length() - 1))) {
    shown.truncate(shown.moveIndex32(shown.length(), -1));
  }
  int32_t begin = 0;
  while (begin < shown.length() && is_edge(shown.char32At(begin))) {
    begin = shown.moveIndex32(begin, 1);
  }
  shown.remove(0, begin);
  std::string utf8;
  shown.toUTF8String(utf8);
  static const text::Normalizer nfc({.normalization = text::UnicodeForm::kNfc, .lowercase = false});
  return nfc.normalize(utf8);
}

// "1.0" and "1." become "1", "0.50" becomes "0.5"; what is no such number stays.
void shorten_number(std::string& label) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto dot = label.find('.');
  const std::size_t first = label.starts_with('-') ? 1 : 0;
  if (dot == std::string::npos || dot == first) return;
  const auto begin = label.begin() + static_cast<std::ptrdiff_t>(first);
  const auto middle = label.begin() + static_cast<std::ptrdiff_t>(dot);
  if (!std::all_of(begin, middle, is_digit) || !std::all_of(middle + 1, label.end(), is_digit)) {
    return;
  }
  label.erase(label.find_last_not_of('0') + 1);
  if (label.back() == '.') label.pop_back();
  if (label == "-0") label = "0";
}

}  // namespace

std::string normalized_label(std::string_view label) {
  label = base::trimmed(label, " \t\r\n\v\f");
  const bool ascii = std::all_of(label.begin(), label.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  std::string normalized = ascii ? std::string(label) : normalized_unicode(label);
  shorten_number(normalized);
  return normalized;
}

void split_label(Example& example, const std::string& separator) {
  if (separator.empty()) return;
  std::string_view rest = example.label;
  for (auto end = rest.find(separator); end != std::string_view::npos; end = rest.find(separator)) {
    example.labels.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + separator.size());
  }
  example.labels.emplace_back(rest);
  example.label.clear();
}

bool is_set(std::string_view cell, const std::string& column, const std::string& where) {
  const auto value = base::ascii_lowercase(normalized_label(cell));
  if (value == "1" || value == "true") return true;
  if (value == "0" || value == "false") return false;
  throw data::BadRow(where + ": the column '" + column + "' of data.label_columns holds '" +
                     base::excerpt(value) + "', expected 0 or 1");
}

void normalize_labels(Example& example, bool several) {
  if (!several) {
    example.label = normalized_label(example.label);
    return;
  }
  auto& labels = example.labels;
  if (!example.label.empty()) labels.push_back(std::move(example.label));
  example.label.clear();
  for (auto& label : labels) label = normalized_label(label);
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  if (!labels.empty() && labels.front().empty()) labels.erase(labels.begin());
}

}  // namespace fastformer::classification
