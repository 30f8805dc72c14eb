#include "target.h"

namespace fastformer::fuzz {

// A tokenizer.json, after a NUL its vocab.txt, after another a text.
void run(std::string_view bytes) {
  const auto part = [&] {
    const auto end = std::min(bytes.find('\0'), bytes.size());
    const auto head = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    return head;
  };
  write("tokenizer/tokenizer.json", part());
  write("tokenizer/vocab.txt", part());
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
