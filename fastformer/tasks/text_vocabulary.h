#pragma once

#include <cstdint>

#include "fastformer/text/tokenizer.h"

namespace fastformer::tasks {

/// The vocabulary that documents and summaries share, and its tokens that stand before the first
/// token of a text and behind its last one.
struct TextVocabulary {
  std::int64_t size = 0;
  std::int32_t begin = 0, end = 0;
};

/// That of a tokenizer. One that has no tokens to begin and end a text gets two more ids, behind
/// its own: no text is ever encoded to them.
inline TextVocabulary vocabulary_of(const text::Tokenizer& tokenizer) {
  const auto size = tokenizer.vocabulary_size();
  if (tokenizer.begin_id() >= 0 && tokenizer.end_id() >= 0) {
    return {size, tokenizer.begin_id(), tokenizer.end_id()};
  }
  return {size + 2, static_cast<std::int32_t>(size), static_cast<std::int32_t>(size + 1)};
}

}  // namespace fastformer::tasks
