#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "fastformer/kernels/softmax_attention.h"
#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// The rows to which a token attends. Row j of its sequence has position j * step. Token i attends
/// to the rows at positions i - behind .. i + ahead, and to the first `leading` rows, which require
/// step = 1.
struct RowBand {
  std::int64_t behind = kernels::KeyRange::kUnlimited, ahead = kernels::KeyRange::kUnlimited;
  std::int64_t step = 1;
  std::int64_t leading = 0;
};

/// Softmax attention of the tokens of each sequence to rows that represent the sequence, with the
/// kernel of `kernels/softmax_attention.h`. For each head, with its own e = d / heads columns:
///   O_i = sum over the rows j to which i attends of softmax_j(Q_i . K_j / sqrt(e)) V_j
/// query [T, d] with `offsets`; key and value [R, d] with `row_offsets` for as many sequences ->
/// [T, d]. A token without rows in its band attends only to the last row at or before its position.
/// In a sequence without rows it gets zeros.
///
/// Stores query, key, value, output and two numbers for each token and head. The result does not
/// depend on the number of threads. Throws c10::Error if shapes or types disagree.
at::Tensor attend_rows(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                       std::int64_t heads, const Offsets& offsets, const Offsets& row_offsets,
                       const RowBand& band = {});

/// The weights of softmax attention, for explanations: for each head, with its own e = d / heads
/// columns, softmax_j(Q_i . K_j / sqrt(e)), averaged over the heads. query [T, d], key [S, d] of
/// one sequence -> [T, S], whose rows sum to 1. Not differentiable. Throws c10::Error if shapes
/// disagree.
at::Tensor attention_weights(const at::Tensor& query, const at::Tensor& key, std::int64_t heads);

}  // namespace fastformer::nn
