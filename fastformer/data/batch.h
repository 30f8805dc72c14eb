#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fastformer/data/corpus.h"

namespace fastformer::data {

/// Sequences without padding: sequence b is ids[offsets[b]] .. ids[offsets[b + 1] - 1].
struct TokenBatch {
  std::vector<std::int32_t> ids;            ///< [T]
  std::vector<std::int64_t> offsets = {0};  ///< [B+1]

  std::int64_t size() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  std::int64_t tokens() const { return static_cast<std::int64_t>(ids.size()); }

  std::span<const std::int32_t> sequence(std::int64_t b) const {
    const auto begin = static_cast<std::size_t>(offsets[static_cast<std::size_t>(b)]);
    const auto end = static_cast<std::size_t>(offsets[static_cast<std::size_t>(b) + 1]);
    return std::span(ids).subspan(begin, end - begin);
  }
  /// "a batch of 3 texts and 90 tokens", for messages.
  std::string description() const {
    return "a batch of " + std::to_string(size()) + " texts and " + std::to_string(tokens()) +
           " tokens";
  }
  void add(std::span<const std::int32_t> sequence) {
    ids.insert(ids.end(), sequence.begin(), sequence.end());
    offsets.push_back(tokens());
  }
};

/// Copies rows of a corpus into a batch. Throws std::out_of_range unless all rows exist.
inline TokenBatch gather(const Corpus& corpus, std::span<const std::int64_t> rows) {
  std::size_t tokens = 0;
  for (const auto row : rows) tokens += corpus.tokens(row).size();
  TokenBatch batch;
  batch.ids.reserve(tokens);
  batch.offsets.reserve(rows.size() + 1);
  for (const auto row : rows) batch.add(corpus.tokens(row));
  return batch;
}

}  // namespace fastformer::data
