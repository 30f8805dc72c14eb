#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "fastformer/text/tokenizer.h"

namespace fastformer::text {

/// Brings spellings of the same text together: markup, Unicode form, case, accents.
///
///   Normalizer normalizer({.normalization = UnicodeForm::kNfkc, .lowercase = true});
///   normalizer.normalize("ＣＡＦÉ");  // "café"
///
/// With a Unicode form, characters without a shape go: soft hyphens, byte order marks, word joiners
/// and marks of direction; U+200B becomes a space. Combining marks behind the thirtieth in a row
/// are dropped (the bound of UAX 15, section 13). Bytes that are not UTF-8 become U+FFFD.
/// Immutable; safe to share by threads.
class Normalizer {
 public:
  explicit Normalizer(const TokenizerConfig& config);

  std::string normalize(std::string_view text) const;

 private:
  std::string normalize_unicode(std::string_view text) const;

  UnicodeForm form_;
  bool lowercase_, strip_accents_, strip_markup_;
};

/// The size of a text as ICU takes it. Throws std::invalid_argument above 2^31 - 1 bytes.
std::int32_t icu_size(std::string_view text);

}  // namespace fastformer::text
