#include <memory>

#include "target.h"

namespace fastformer::fuzz {
namespace {

std::unique_ptr<text::Tokenizer> make(const text::TokenizerConfig& config) {
  return text::make_tokenizer(config, [](const auto& use) {
    for (int i = 0; i < 50; ++i) use("the cats sat on the mats, number " + std::to_string(i));
  });
}

std::vector<std::unique_ptr<text::Tokenizer>> make_all() {
  std::vector<std::unique_ptr<text::Tokenizer>> made;
  const auto vocabulary =
      write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n##a\n##b\nab\n##ab\nthe\n,\n.\n");
  for (const auto form : {text::UnicodeForm::kNone, text::UnicodeForm::kNfkc}) {
    made.push_back(make({.normalization = form, .minimum_count = 1}));
    made.push_back(
        make({.tokenizer = "sentencepiece", .normalization = form, .vocabulary_size = 60}));
    made.push_back(make({.tokenizer = "wordpiece",
                         .normalization = form,
                         .strip_accents = true,
                         .model_file = vocabulary.string(),
                         .special_tokens = true}));
  }
  return made;
}

}  // namespace

void run(std::string_view bytes) {
  static const auto tokenizers = make_all();
  for (const auto& tokenizer : tokenizers) check_tokenizer(*tokenizer, bytes);
}

}  // namespace fastformer::fuzz
