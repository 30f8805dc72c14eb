#pragma once

#include <cstdint>
#include <string>

#include "fastformer/base/config_field.h"

namespace fastformer::text {

/// The recipe's [text] section.
struct TokenizerConfig {
  std::string tokenizer = "word";  ///< a row of the tokenizer registry
  std::string normalization = "nfkc";
  bool lowercase = true;
  bool strip_accents = false;
  bool strip_markup = false;  ///< "<br />" and the like become spaces
  std::int64_t minimum_count = 2;
  std::int64_t vocabulary_size = 100'000;
  std::string model_file;
  bool special_tokens = false;  ///< [CLS] before and [SEP] after a text, as BERT expects

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor&& visit) {
    visit("tokenizer", self.tokenizer, "how text is cut into tokens",
          base::one_of({"word", "wordpiece", "sentencepiece"}));
    visit("normalization", self.normalization, "Unicode normalization form",
          base::one_of({"none", "nfc", "nfkc"}));
    visit("lowercase", self.lowercase, "fold case");
    visit("strip_accents", self.strip_accents, "drop combining marks");
    visit("strip_markup", self.strip_markup, "replace HTML tags by a space, decode entities");
    visit("minimum_count", self.minimum_count,
          "a token seen less often in the training text is [UNK] (word)", base::at_least(1));
    visit("vocabulary_size", self.vocabulary_size,
          "largest number of tokens, special ones included (word, sentencepiece)",
          base::between(8, 10'000'000));
    visit("model_file", self.model_file,
          "a vocab.txt (wordpiece) or .model (sentencepiece) to use instead of training one");
    visit("special_tokens", self.special_tokens,
          "put [CLS] before a text and [SEP] after it, as BERT expects (wordpiece)");
  }
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

}  // namespace fastformer::text
