#include "fastformer/data/tokenize.h"

#include <utility>

namespace fastformer::data {

LimitedIds encode_limited(const text::Tokenizer& tokenizer, const std::string& text,
                          std::int64_t max_tokens) {
  // One token more than is kept tells whether the document was longer.
  const auto kept = static_cast<std::size_t>(max_tokens);
  const std::size_t limit = kept == 0 ? text::Tokenizer::kNoLimit : kept + 1;
  LimitedIds encoded;
  tokenizer.encode(text, encoded.ids, limit);
  encoded.truncated = encoded.ids.size() >= limit;
  if (encoded.truncated) encoded.ids.resize(kept);
  return encoded;
}

DocumentEncoder::DocumentEncoder(const text::Tokenizer& tokenizer, std::int64_t max_tokens)
    : queue_(
          [&tokenizer, max_tokens](Document& document) {
            document.encoded = encode_limited(tokenizer, document.text, max_tokens);
            document.text = {};
          },
          [](Document& document) {
            document.writer->add(document.encoded.ids, document.label, document.encoded.truncated);
          }) {}

void DocumentEncoder::add(std::string text, std::int32_t label, TokenSetWriter& writer) {
  const std::size_t bytes = text.size();
  queue_.add({std::move(text), label, &writer, {}}, bytes);
}

}  // namespace fastformer::data
