#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// What the rows of a target may copy from their document: position j of document b gets
///   a_j = softmax_j(query . key_j / sqrt(d))
struct CopyInputs {
  at::Tensor query;                   ///< [T, d]
  at::Tensor key;                     ///< [S, d]
  at::Tensor gate;                    ///< [T, 1], logits of g
  std::span<const std::int32_t> ids;  ///< [S], of the documents
  Offsets offsets;                    ///< of as many documents as there are targets
};

/// Rows x [T, d] of ragged targets, the output layer's weight [V, d] and bias [V], and the token
/// that each row should give -> the mean over the rows of
///   L = - sum over w of q(w) log p(w),   q(w) = (1 - smoothing) [w = target] + smoothing / V
/// with p = P = softmax(W x + b), or, where `copy` is not null, the pointer-generator's mixture
/// (See et al., arXiv 1704.04368, section 2.2)
///   p(w) = g P(w) + (1 - g) sum of a_j over the positions j of the document whose token is w
/// over the one vocabulary that both sides share. So label smoothing (Szegedy et al., arXiv
/// 1512.00567, section 7) applies to the mixture, not to P. With a document without tokens g is 1.
///
/// Works on blocks of a few million numbers, so that neither all logits [T, V] nor all weights of
/// copying exist at once; gradients, where they are asked for, are formed on the way. Deterministic
/// for a given number of threads. Float or double; throws c10::Error when shapes or types disagree.
at::Tensor vocabulary_loss(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           std::span<const std::int32_t> targets, const Offsets& offsets,
                           double smoothing, const CopyInputs* copy);

}  // namespace fastformer::nn
