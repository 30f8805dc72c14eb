#pragma once

#include <cstdint>
#include <vector>

#include "fastformer/kernels/softmax_attention.h"

namespace fastformer::nn {

/// Which blocks of tokens see which, block-sparse attention's pattern (BigBird, Zaheer et al.,
/// arXiv 2007.14062, section 2 and appendix D). Token i lies in block i / size; the last block may
/// be short. The tokens of block B see those of
///   the blocks C with |B - C| <= side, the first `global` blocks, and, for each head anew,
///   `random` of the others, or all of these if there are fewer;
/// the tokens of the first `global` blocks see all.
struct BlockPattern {
  std::int64_t size = 16;
  std::int64_t side = 1;
  std::int64_t global = 0;
  std::int64_t random = 0;
  std::uint64_t seed = 0;  ///< of the random blocks

  std::int64_t blocks(std::int64_t tokens) const { return (tokens + size - 1) / size; }

  /// The random blocks of `block`, one of `count`, in the order of their drawing: candidate 0, 1,
  /// .. changes places with a later one, as in the shuffle of Fisher and Yates, by the hash
  /// mix64(seed ^ mix64(block * 0x9E3779B97F4A7C15 + head * 1000003 + k)).
  std::vector<std::int64_t> random_blocks(std::int64_t block, std::int64_t head,
                                          std::int64_t count) const;

  /// The tokens that those of `block` see in a sequence of so many, in ascending order; runs of
  /// blocks side by side are one range.
  std::vector<kernels::KeyRange> seen_tokens(std::int64_t block, std::int64_t head,
                                             std::int64_t tokens) const;
};

}  // namespace fastformer::nn
