#pragma once

#include <ATen/ATen.h>

#include "fastformer/nn/block_pattern.h"
#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// Softmax attention of the tokens of each sequence to the blocks of tokens that a pattern lets
/// them see, on the kernel of `kernels/softmax_attention.h`: for each head, with its own e = d /
/// heads columns,
///   O_i = sum over the tokens j that i sees of softmax_j(Q_i . K_j / sqrt(e)) V_j
/// query, key, value [T, d] -> [T, d]. The rows of `extra_key` and `extra_value` [g, d], where g
/// may be 0, stand before every sequence and are seen by all of its tokens.
///
/// Costs what is seen, in products of whole blocks. Keeps its inputs, the output and two numbers
/// for each token and head; the result does not depend on the number of threads. Throws c10::Error
/// when shapes or types disagree.
at::Tensor attend_blocks(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                         const at::Tensor& extra_key, const at::Tensor& extra_value,
                         std::int64_t heads, const Offsets& offsets, const BlockPattern& pattern);

}  // namespace fastformer::nn
