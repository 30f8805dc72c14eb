#include "fastformer/text/tokenizer_config.h"

#include <stdexcept>

#include "fastformer/text/tokenizer.h"

namespace fastformer::text {

void TokenizerConfig::visit_fields(base::FieldVisitor& visit) {
  visit("tokenizer", tokenizer, "how text is cut into tokens", base::one_of(tokenizer_names()));
  visit("normalization", normalization, "Unicode normalization form");
  visit("lowercase", lowercase, "fold case");
  visit("strip_accents", strip_accents, "drop combining marks");
  visit("strip_markup", strip_markup, "replace HTML tags by a space, decode entities");
  visit("minimum_count", minimum_count,
        "a token that is rarer in the training text becomes [UNK] (word)", base::at_least(1));
  visit("vocabulary_size", vocabulary_size,
        "largest number of tokens, special ones included (word, sentencepiece)",
        base::between(8, 10'000'000));
  visit("model_file", model_file,
        "a vocab.txt (wordpiece) or .model (sentencepiece) to use instead of training one");
  visit("special_tokens", special_tokens,
        "put [CLS] before a text and [SEP] after it, as BERT expects (wordpiece)");
}

void TokenizerConfig::validate() const {
  if (tokenizer == "word" && !model_file.empty()) {
    throw std::invalid_argument(
        "text.model_file is for wordpiece and sentencepiece; the word tokenizer learns its "
        "vocabulary from the training text");
  }
  if (special_tokens && tokenizer != "wordpiece") {
    throw std::invalid_argument("text.special_tokens is for wordpiece; the tokenizer " + tokenizer +
                                " has no [CLS] and [SEP]: remove the field");
  }
}

}  // namespace fastformer::text
