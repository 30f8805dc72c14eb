#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// The inputs of the copy weights: for each row of a target, position j of its document gets
///   a_j = softmax_j(query . key_j / sqrt(d))
struct CopyInputs {
  at::Tensor query;                   ///< [T, d]
  at::Tensor key;                     ///< [S, d]
  at::Tensor gate;                    ///< [T, 1], g = sigmoid(gate)
  std::span<const std::int32_t> ids;  ///< [S], tokens of the documents
  Offsets offsets;                    ///< one document per target
};

/// The loss of ragged targets. Rows x [T, d], the output layer's weight [V, d] and bias [V], and
/// the target token of each row -> the mean over the rows of
///   L = - sum over w of q(w) log p(w),   q(w) = (1 - smoothing) [w = target] + smoothing / V
/// with p = P = softmax(W x + b). If `copy` is not null, p is the mixture of the pointer-generator
/// (See et al., arXiv 1704.04368, section 2.2)
///   p(w) = g P(w) + (1 - g) sum of a_j over the positions j of the document whose token is w
/// over the vocabulary that documents and summaries share. Label smoothing (Szegedy et al., arXiv
/// 1512.00567, section 7) applies to the mixture, not to P. For a document without tokens, g is 1.
///
/// Processes blocks of a few million numbers, so that the logits [T, V] and copy weights never
/// exist all at once. Gradients, if needed, are computed in the same pass. Deterministic for a
/// given number of threads. Float or double; throws c10::Error if shapes or types disagree.
at::Tensor vocabulary_loss(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           std::span<const std::int32_t> targets, const Offsets& offsets,
                           double smoothing, const CopyInputs* copy);

}  // namespace fastformer::nn
