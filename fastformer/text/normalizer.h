#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "fastformer/text/tokenizer.h"

namespace fastformer::text {

/// Unifies different spellings of the same text: markup, Unicode form, case, accents.
///
///   Normalizer normalizer({.normalization = UnicodeForm::kNfkc, .lowercase = true});
///   normalizer.normalize("ＣＡＦÉ");  // "café"
///
/// If a Unicode form is set, invisible characters are removed: soft hyphens, byte order marks, word
/// joiners and directional marks; U+200B becomes a space. Of a run of combining marks only the
/// first 30 are kept (the limit of UAX 15, section 13). Bytes that are not UTF-8 become U+FFFD.
/// Immutable; safe to share between threads.
class Normalizer {
 public:
  explicit Normalizer(const TokenizerConfig& config);

  std::string normalize(std::string_view text) const;

 private:
  std::string normalize_unicode(std::string_view text) const;

  UnicodeForm form_;
  bool lowercase_, strip_accents_, strip_markup_;
};

/// Size in bytes, as ICU expects it. Throws std::invalid_argument above 2^31 - 1 bytes.
std::int32_t icu_size(std::string_view text);

}  // namespace fastformer::text
