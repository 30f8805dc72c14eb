#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>

namespace fastformer::nn {

/// Softmax attention, as in `row_attention.h`, of single rows each to rows of its own list:
/// query [H, d], key and value [R, d], rows [H, n] numbers below R -> [H, d]. For decoding, where
/// the lists of hypotheses have rows in common; not differentiable. Throws c10::Error when shapes
/// or types disagree.
at::Tensor attend_listed(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                         std::int64_t heads, std::span<const std::int64_t> rows);

}  // namespace fastformer::nn
