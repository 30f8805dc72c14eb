#include "fastformer/nn/bert/document_chunks.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace fastformer::nn {
namespace {

constexpr std::int64_t kFrame = 2;  // the first and the last token

// Where the chunks of a document begin between its first and its last token, and how many tokens
// of those each has.
struct Cuts {
  std::vector<std::int64_t> begins;
  std::int64_t window = 0;
};

Cuts cuts_of(std::int64_t length, const ChunkShape& shape) {
  const auto window = shape.tokens - kFrame;
  if (window < 1 || shape.overlap < 0 || shape.overlap > window / 2) {
    throw std::invalid_argument("chunks of " + std::to_string(shape.tokens) +
                                " tokens cannot share " + std::to_string(shape.overlap) +
                                "; expected at most half of those between the first and the last");
  }
  if (length <= shape.tokens) return {{0}, std::max<std::int64_t>(length - kFrame, 0)};
  Cuts cuts{{}, window};
  const auto last = length - kFrame - window;
  for (std::int64_t begin = 0; begin < last; begin += window - shape.overlap) {
    cuts.begins.push_back(begin);
  }
  cuts.begins.push_back(last);
  return cuts;
}

void add_document(std::span<const std::int32_t> ids, const ChunkShape& shape,
                  DocumentChunks& chunks) {
  const auto length = std::ssize(ids);
  if (length == 0) return;
  const auto first_row = chunks.offsets.back();
  if (length <= shape.tokens) {
    chunks.ids.insert(chunks.ids.end(), ids.begin(), ids.end());
    for (std::int64_t i = 0; i < length; ++i) chunks.rows.push_back(first_row + i);
    chunks.offsets.push_back(first_row + length);
    return;
  }
  const auto [begins, window] = cuts_of(length, shape);
  const auto inner = ids.subspan(1, ids.size() - kFrame);
  chunks.rows.push_back(first_row);
  std::int64_t next = 0;  // the first token between the frame without a row
  for (std::size_t k = 0; k < begins.size(); ++k) {
    const auto row = chunks.offsets.back(), begin = begins[k], end = begin + window;
    const auto own =
        inner.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(window));
    chunks.ids.push_back(ids.front());
    chunks.ids.insert(chunks.ids.end(), own.begin(), own.end());
    chunks.ids.push_back(ids.back());
    chunks.offsets.push_back(row + window + kFrame);
    const bool last = k + 1 == begins.size();
    const auto bound = last ? end : begins[k + 1] + (end - begins[k + 1]) / 2;
    for (; next < bound; ++next) chunks.rows.push_back(row + 1 + next - begin);
  }
  chunks.rows.push_back(chunks.offsets.back() - 1);
}

}  // namespace

DocumentChunks cut_into_chunks(std::span<const std::int32_t> ids, const Offsets& offsets,
                               const ChunkShape& shape) {
  DocumentChunks chunks;
  chunks.rows.reserve(ids.size());
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    add_document(ids.subspan(static_cast<std::size_t>(offsets.begin_of(b)),
                             static_cast<std::size_t>(offsets.length(b))),
                 shape, chunks);
  }
  return chunks;
}

std::int64_t rows_in_chunks(std::int64_t length, const ChunkShape& shape) {
  if (length <= shape.tokens) return length;
  return std::ssize(cuts_of(length, shape).begins) * shape.tokens;
}

}  // namespace fastformer::nn
