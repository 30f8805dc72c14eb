#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/data/chunk_queue.h"
#include "fastformer/data/token_set.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::data {

/// The ids of a text, at most `max_tokens` (0: no limit) of them.
struct LimitedIds {
  std::vector<std::int32_t> ids;
  bool truncated = false;  ///< the text had more
};
LimitedIds encode_limited(const text::Tokenizer& tokenizer, const std::string& text,
                          std::int64_t max_tokens);

/// Encodes documents on threads of its own while the caller reads on, and writes them in the order
/// in which they were added.
///
///   DocumentEncoder encoder(tokenizer, config.max_tokens);
///   encoder.add(std::move(text), label, writer);
///   encoder.finish();
///
/// Throws, from add() or finish(), what the tokenizer or a writer throws.
class DocumentEncoder {
 public:
  /// `max_tokens` 0: no limit.
  DocumentEncoder(const text::Tokenizer& tokenizer, std::int64_t max_tokens);

  void add(std::string text, std::int32_t label, TokenSetWriter& writer);
  void finish() { queue_.finish(); }

 private:
  struct Document {
    std::string text;
    std::int32_t label;
    TokenSetWriter* writer;
    LimitedIds encoded;
  };

  ChunkQueue<Document> queue_;
};

}  // namespace fastformer::data
