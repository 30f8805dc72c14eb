#include "fastformer/text/growing_text.h"

#include <unicode/utf8.h>

#include <cstddef>
#include <stdexcept>
#include <string_view>

#include "fastformer/text/normalizer.h"

namespace fastformer::text {
namespace {

// Without an incomplete character at the end, which tokenizers give as its first bytes or as a
// U+FFFD for each of them.
std::string_view complete(std::string_view text) {
  constexpr std::string_view kReplacement = "\uFFFD";
  auto size = icu_size(text);
  U8_TRUNCATE_IF_INCOMPLETE(text, 0, size);
  text = text.substr(0, static_cast<std::size_t>(size));
  while (text.ends_with(kReplacement)) text.remove_suffix(kReplacement.size());
  return text;
}

}  // namespace

std::string GrowingText::add(std::int32_t token) {
  tokens_.push_back(token);
  const auto text = tokenizer_.decode(tokens_);
  return extend(std::string(complete(text)));
}

std::string GrowingText::finish() {
  const auto text = tokenizer_.decode(tokens_);
  if (!text.starts_with(given_)) {
    throw std::logic_error("GrowingText: the tokenizer changed text that was given already");
  }
  return extend(text);
}

std::string GrowingText::extend(const std::string& text) {
  if (!text.starts_with(given_)) return {};
  auto piece = text.substr(given_.size());
  given_ = text;
  return piece;
}

}  // namespace fastformer::text
