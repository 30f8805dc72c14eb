#include "fastformer/text/tokenizer_config.h"

#include <stdexcept>

namespace fastformer::text {

void TokenizerConfig::validate() const {
  if (tokenizer == "word" && !model_file.empty()) {
    throw std::invalid_argument(
        "text.model_file is for wordpiece and sentencepiece; the word tokenizer learns its "
        "vocabulary from the training text");
  }
  if (special_tokens && tokenizer != "wordpiece") {
    throw std::invalid_argument("text.special_tokens is for wordpiece; the tokenizer " + tokenizer +
                                " has no [CLS] and [SEP]: leave it out");
  }
}

}  // namespace fastformer::text
