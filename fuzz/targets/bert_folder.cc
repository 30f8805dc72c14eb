#include "fastformer/text/bert_tokenizer.h"
#include "target.h"

namespace fastformer::fuzz {

// A tokenizer_config.json, after a NUL the vocab.txt, after another a text.
void run(std::string_view bytes) {
  write("bert/tokenizer_config.json", take_part(bytes));
  write("bert/vocab.txt", take_part(bytes));
  check(text::is_bert_folder(folder() / "bert"), "the folder is BERT's");
  check_tokenizer(*text::load_bert_tokenizer(folder() / "bert"), bytes);
}

}  // namespace fastformer::fuzz
