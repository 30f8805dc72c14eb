#include "fastformer/text/sentencepiece_tokenizer.h"
#include "target.h"

namespace fastformer::fuzz {

// A model, and behind it up to 64 bytes of text.
void run(std::string_view bytes) {
  constexpr std::size_t kTextBytes = 64;
  const auto text = take_choices(bytes, kTextBytes);
  text::TokenizerConfig config;
  config.tokenizer = "sentencepiece";
  config.normalization = text::UnicodeForm::kNone;
  const text::SentencePieceTokenizer tokenizer(config, std::string(bytes), "a.model");
  check_tokenizer(tokenizer, text);
}

}  // namespace fastformer::fuzz
