#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// How documents are cut for an encoder that reads a limited number of tokens at once.
struct ChunkShape {
  std::int64_t tokens;   ///< the most tokens of a chunk, with its first and last one; at least 3
  std::int64_t overlap;  ///< shared by two chunks, at most half of those between the frame
};

/// Documents in chunks.
struct DocumentChunks {
  std::vector<std::int32_t> ids;            ///< [R], chunk after chunk
  std::vector<std::int64_t> offsets = {0};  ///< [C+1], chunk c begins at row offsets[c]
  std::vector<std::int64_t> rows;           ///< [T], the row that stands for each token
};

/// Cuts documents whose first and last token frame them ([CLS] and [SEP]): ids [T], offsets [B+1].
/// A document of at most `shape.tokens` tokens is one chunk. Each chunk of a longer one begins with
/// the first and ends with the last token of the document; between them, chunks share
/// `shape.overlap` tokens, the last two possibly more. Of a token that two chunks have, the row in
/// which it is farther from the end of the chunk stands for it.
///
///   const auto chunks = cut_into_chunks(ids, offsets, {.tokens = 256, .overlap = 64});
///   const auto rows = encoder.forward(chunks.ids, Offsets(chunks.offsets), training);
///   const auto tokens = rows.index_select(0, at::tensor(chunks.rows));  // [T, d]
DocumentChunks cut_into_chunks(std::span<const std::int32_t> ids, const Offsets& offsets,
                               const ChunkShape& shape);

/// The number R of rows that a document of `length` tokens has in chunks.
std::int64_t rows_in_chunks(std::int64_t length, const ChunkShape& shape);

}  // namespace fastformer::nn
