#include "fastformer/text/tokenizer_config.h"

#include <stdexcept>

namespace fastformer::text {

void TokenizerConfig::validate() const {
  if (tokenizer == "word" && !model_file.empty()) {
    throw std::invalid_argument(
        "text.model_file is for wordpiece and sentencepiece; the word tokenizer learns its "
        "vocabulary from the training text");
  }
}

}  // namespace fastformer::text
