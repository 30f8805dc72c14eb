#pragma once

#include <ATen/ATen.h>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// Softmax attention of the tokens of each sequence to each other whose weights are subject to
/// dropout, as BERT trains (Devlin et al., arXiv 1810.04805, appendix A.2): for each head, with its
/// own e = d / heads columns,
///   O_i = sum over j of dropout(softmax_j(Q_i . K_j / sqrt(e))) V_j
/// query, key, value [T, d] -> [T, d]. What is dropped is as in `nn/dropout.h`. Sequences of
/// one length are one product. Without dropout `attend_rows` gives the same and keeps less: here
/// the weights of all pairs of tokens of a sequence, n^2 for each head, are kept for the backward
/// pass. Throws c10::Error when shapes or types disagree.
at::Tensor attend_with_dropout(const at::Tensor& query, const at::Tensor& key,
                               const at::Tensor& value, std::int64_t heads, const Offsets& offsets,
                               double rate);

}  // namespace fastformer::nn
