#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "fastformer/kernels/softmax_attention.h"
#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// The pattern of attention between blocks of tokens (BigBird, Zaheer et al., arXiv 2007.14062,
/// section 2 and appendix D). Token i is in block i / size; the last block may be shorter. The
/// tokens of block B attend to those of
///   the blocks C with |B - C| <= side, the first `global` blocks and, selected for each head,
///   `random` of the other blocks, or all of these if there are fewer;
/// the tokens of the first `global` blocks attend to all tokens.
struct BlockPattern {
  std::int64_t size = 16;
  std::int64_t side = 1;
  std::int64_t global = 0;
  std::int64_t random = 0;
  std::uint64_t seed = 0;  ///< of the random blocks

  std::int64_t blocks(std::int64_t tokens) const { return (tokens + size - 1) / size; }

  /// The random blocks of `block`, out of `count` blocks, in the order of drawing. In a
  /// Fisher-Yates shuffle, candidate k = 0, 1, .. is exchanged with a later one, chosen by the hash
  /// mix64(seed ^ mix64(block * 0x9E3779B97F4A7C15 + head * 1000003 + k)).
  std::vector<std::int64_t> random_blocks(std::int64_t block, std::int64_t head,
                                          std::int64_t count) const;

  /// The tokens to which the tokens of `block` attend in a sequence of `tokens` tokens, in
  /// ascending order; adjacent blocks form one range.
  std::vector<kernels::KeyRange> attended_tokens(std::int64_t block, std::int64_t head,
                                                 std::int64_t tokens) const;
};

/// Softmax attention between the tokens of each sequence by a block pattern, with the kernel of
/// `kernels/softmax_attention.h`. For each head, with its own e = d / heads columns:
///   O_i = sum over the tokens j to which i attends of softmax_j(Q_i . K_j / sqrt(e)) V_j
/// query, key, value [T, d] -> [T, d]. The rows of `extra_key` and `extra_value` [g, d], where g
/// may be 0, are added before every sequence, and all of its tokens attend to them.
///
/// The cost is that of the attended keys, in products of whole blocks. Stores its inputs, the
/// output and two numbers for each token and head; the result does not depend on the number of
/// threads. Throws c10::Error if shapes or types disagree.
at::Tensor attend_blocks(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                         const at::Tensor& extra_key, const at::Tensor& extra_value,
                         std::int64_t heads, const Offsets& offsets, const BlockPattern& pattern);

}  // namespace fastformer::nn
