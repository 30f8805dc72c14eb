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
/// Bytes that are not UTF-8 become U+FFFD. Where a form is asked for, combining marks behind the
/// thirtieth in a row are dropped (the bound of UAX 15, section 13). Immutable; safe to share by
/// threads.
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

/// Replaces each tag (`<br />`, `</p>`, `<!-- -->`) by a space and decodes the entities &amp; &lt;
/// &gt; &quot; &apos; &nbsp; and the numeric ones. A '<' that opens no tag stays.
std::string strip_markup(std::string_view text);

}  // namespace fastformer::text
