#include "target.h"

namespace fastformer::fuzz {

// A tokenizer.json, after a NUL its vocab.txt, after another a text.
void run(std::string_view bytes) {
  write("tokenizer/tokenizer.json", take_part(bytes));
  write("tokenizer/vocab.txt", take_part(bytes));
  const auto tokenizer = text::load_tokenizer(folder() / "tokenizer");
  check_tokenizer(*tokenizer, bytes);
  std::filesystem::create_directories(folder() / "copy");
  tokenizer->save(folder() / "copy");
  const auto again = text::load_tokenizer(folder() / "copy");
  std::vector<std::int32_t> ids, same;
  tokenizer->encode(bytes, ids);
  again->encode(bytes, same);
  check(ids == same, "a saved tokenizer gives the same ids");
}

}  // namespace fastformer::fuzz
