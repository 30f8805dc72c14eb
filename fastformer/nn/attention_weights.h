#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace fastformer::nn {

/// The weights of softmax attention themselves, for explanations: for the columns of each head,
/// e = d / heads of them, softmax_j(Q_i . K_j / sqrt(e)), and of that the mean over the heads.
/// query [T, d], key [S, d] of one sequence -> [T, S], each row of which sums to 1. Not
/// differentiable. Throws c10::Error when shapes disagree.
at::Tensor attention_weights(const at::Tensor& query, const at::Tensor& key, std::int64_t heads);

}  // namespace fastformer::nn
