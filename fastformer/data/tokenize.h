#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <string>
#include <vector>

#include "fastformer/data/token_set.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::data {

/// Encodes documents on threads of its own while the caller reads on, and writes them in the order
/// in which they were added.
///
///   DocumentEncoder encoder(tokenizer, config.max_tokens);
///   encoder.add(std::move(text), label, writer);
///   encoder.finish();
///
/// Documents travel in chunks of about 1 MB, of which two are encoded at a time. Throws, from add()
/// or finish(), what the tokenizer or a writer throws.
class DocumentEncoder {
 public:
  /// `max_tokens` 0: no limit.
  DocumentEncoder(const text::Tokenizer& tokenizer, std::int64_t max_tokens)
      : tokenizer_(tokenizer), max_tokens_(static_cast<std::size_t>(max_tokens)) {}

  void add(std::string text, std::int32_t label, TokenSetWriter& writer);
  void finish();

 private:
  struct Document {
    std::string text;
    std::int32_t label;
    TokenSetWriter* writer;
    std::vector<std::int32_t> ids;
    bool truncated;
  };
  using Chunk = std::vector<Document>;

  static Chunk encode(Chunk chunk, const text::Tokenizer& tokenizer, std::size_t max_tokens);
  void start_chunk();
  void write_oldest();

  const text::Tokenizer& tokenizer_;
  std::size_t max_tokens_;
  Chunk chunk_;
  std::size_t chunk_bytes_ = 0;
  std::deque<std::future<Chunk>> running_;
};

}  // namespace fastformer::data
