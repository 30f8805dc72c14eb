#pragma once

#include <cstdint>
#include <string>

#include "fastformer/base/config_field.h"

namespace fastformer::text {

/// Unicode normalization forms (UAX 15).
enum class UnicodeForm : std::uint8_t { kNone, kNfc, kNfkc };

/// The recipe's [text] section.
struct TokenizerConfig {
  std::string tokenizer = "word";  ///< one of tokenizer_names()
  UnicodeForm normalization = UnicodeForm::kNfkc;
  bool lowercase = true;
  bool strip_accents = false;
  bool strip_markup = false;  ///< "<br />" and the like become spaces
  std::int64_t minimum_count = 2;
  std::int64_t vocabulary_size = 100'000;
  std::string model_file;
  bool special_tokens = false;  ///< [CLS] before and [SEP] after a text, as BERT expects

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

}  // namespace fastformer::text

namespace fastformer::base {
template <>
inline constexpr std::array kWords<text::UnicodeForm> = {"none", "nfc", "nfkc"};
}  // namespace fastformer::base
