#pragma once

#include <ATen/ATen.h>

#include "fastformer/kernels/softmax_attention.h"
#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// Which rows a token sees: of the rows of its sequence, row j stands at position j * step, and
/// token i sees those from i - behind to i + ahead, and the first `leading` ones, which need a step
/// of 1.
struct RowBand {
  std::int64_t behind = kernels::KeyRange::kUnlimited, ahead = kernels::KeyRange::kUnlimited;
  std::int64_t step = 1;
  std::int64_t leading = 0;
};

/// Softmax attention of the tokens of each sequence to rows that stand for it, on the kernel of
/// `kernels/softmax_attention.h`: for each head, with its own e = d / heads columns,
///   O_i = sum over the rows j that token i sees of softmax_j(Q_i . K_j / sqrt(e)) V_j
/// query [T, d] with `offsets`; key and value [R, d] with `row_offsets` of as many sequences
/// -> [T, d]. A token that sees no row in its band, but has one at or before its position, sees the
/// last of these alone; in a sequence without rows it gets zeros.
///
/// Keeps query, key, value, output and two numbers for each token and head; the result does not
/// depend on the number of threads. Throws c10::Error when shapes or types disagree.
at::Tensor attend_rows(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                       std::int64_t heads, const Offsets& offsets, const Offsets& row_offsets,
                       const RowBand& band = {});

}  // namespace fastformer::nn
