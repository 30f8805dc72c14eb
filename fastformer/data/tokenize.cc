#include "fastformer/data/tokenize.h"

#include <functional>
#include <utility>

namespace fastformer::data {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
constexpr std::size_t kThreads = 2;

}  // namespace

DocumentEncoder::Chunk DocumentEncoder::encode(Chunk chunk, const text::Tokenizer& tokenizer,
                                               std::size_t max_tokens) {
  // One token more than is kept tells whether the document was longer.
  const std::size_t limit = max_tokens == 0 ? text::Tokenizer::kNoLimit : max_tokens + 1;
  for (auto& document : chunk) {
    tokenizer.encode(document.text, document.ids, limit);
    document.truncated = document.ids.size() >= limit;
    if (document.truncated) document.ids.resize(max_tokens);
    document.text = {};
  }
  return chunk;
}

void DocumentEncoder::add(std::string text, std::int32_t label, TokenSetWriter& writer) {
  chunk_bytes_ += text.size() + sizeof(Document);
  chunk_.push_back({std::move(text), label, &writer, {}, false});
  if (chunk_bytes_ >= kChunkBytes) start_chunk();
}

void DocumentEncoder::start_chunk() {
  if (running_.size() == kThreads) write_oldest();
  running_.push_back(std::async(std::launch::async, &DocumentEncoder::encode, std::move(chunk_),
                                std::cref(tokenizer_), max_tokens_));
  chunk_.clear();
  chunk_bytes_ = 0;
}

void DocumentEncoder::write_oldest() {
  const Chunk chunk = running_.front().get();
  running_.pop_front();
  for (const auto& document : chunk) {
    document.writer->add(document.ids, document.label, document.truncated);
  }
}

void DocumentEncoder::finish() {
  start_chunk();
  while (!running_.empty()) write_oldest();
}

}  // namespace fastformer::data
