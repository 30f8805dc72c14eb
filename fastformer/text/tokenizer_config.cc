#include "fastformer/text/tokenizer_config.h"

#include <stdexcept>

namespace fastformer::text {

void TokenizerConfig::validate() const {
  if (tokenizer == "wordpiece" && model_file.empty()) {
    throw std::invalid_argument(
        "text.tokenizer = \"wordpiece\" needs text.model_file, the vocab.txt of a BERT model");
  }
  if (tokenizer == "word" && !model_file.empty()) {
    throw std::invalid_argument(
        "text.model_file is for wordpiece and sentencepiece; the word tokenizer learns its "
        "vocabulary from the training text");
  }
}

}  // namespace fastformer::text
