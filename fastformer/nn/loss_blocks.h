#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// Some rows of one target.
struct LossPiece {
  std::int64_t sequence, first, rows;
};
using LossBlock = std::vector<LossPiece>;

/// The rows of ragged targets in blocks of about equal cost, in order: `cost(sequence)` numbers are
/// held for each row. A row that alone costs more than a block has one to itself. 2^22 floats are
/// 16 MiB: with 32,000 tokens in the vocabulary a block is 131 rows.
template <class Cost>
std::vector<LossBlock> loss_blocks(const Offsets& targets, const Cost& cost) {
  constexpr std::int64_t kNumbers = std::int64_t{1} << 22, kRows = 1024;
  std::vector<LossBlock> blocks;
  std::int64_t rows_left = 0, numbers_left = 0;
  for (std::int64_t b = 0; b < targets.size(); ++b) {
    const std::int64_t of_row = cost(b);
    const auto end = targets.begin_of(b) + targets.length(b);
    for (auto first = targets.begin_of(b); first < end;) {
      const auto rows = std::min({end - first, rows_left, numbers_left / of_row});
      if (rows == 0) {
        blocks.emplace_back();
        rows_left = kRows;
        numbers_left = std::max(kNumbers, of_row);
        continue;
      }
      blocks.back().push_back({b, first, rows});
      first += rows;
      rows_left -= rows;
      numbers_left -= rows * of_row;
    }
  }
  return blocks;
}

}  // namespace fastformer::nn
