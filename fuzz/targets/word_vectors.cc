#include "fastformer/data/word_vectors.h"

#include <cmath>

#include "target.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) {
  static const auto tokenizer = text::make_tokenizer(
      {.minimum_count = 1}, [](const auto& use) { use("the cat sat on a mat , and so did i ."); });
  constexpr std::int64_t kWidth = 3;
  const auto vectors = data::read_word_vectors(write("a.vec", bytes), *tokenizer, kWidth);
  check(vectors.values.size() == vectors.ids.size() * kWidth, "each token has a vector");
  for (const auto id : vectors.ids) {
    check(id >= 0 && id < tokenizer->vocabulary_size(), "an id is in the vocabulary");
  }
  for (const auto value : vectors.values) check(std::isfinite(value), "a number is finite");
}

}  // namespace fastformer::fuzz
