#include "fastformer/text/bert_tokenizer.h"
#include "target.h"

namespace fastformer::fuzz {

// A tokenizer_config.json, after a NUL the vocab.txt, after another a text.
void run(std::string_view bytes) {
  const auto part = [&] {
    const auto end = std::min(bytes.find('\0'), bytes.size());
    const auto head = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    return head;
  };
  write("bert/tokenizer_config.json", part());
  write("bert/vocab.txt", part());
  check(text::is_bert_folder(folder() / "bert"), "the folder is BERT's");
  check_tokenizer(*text::load_bert_tokenizer(folder() / "bert"), bytes);
}

}  // namespace fastformer::fuzz
