#pragma once

#include <ATen/ATen.h>

#include <string>

#include "fastformer/nn/linear.h"
#include "fastformer/nn/offsets.h"
#include "fastformer/nn/ragged_ops.h"

namespace fastformer::tasks {

/// The pointer of a pointer-generator (See et al., arXiv 1704.04368, section 2.2), with one head of
/// scaled dot-product attention in place of their additive one. For a row of the decoder y_t, its
/// input x_t and the encoded document E, with E_-1 = 0:
///   k_j = Wk E_j + bk + Wp E_(j-1)
///   a_t = softmax_j((Wq y_t + bq) . k_j / sqrt(d)),   c_t = sum_j a_tj E_j
///   g_t = sigmoid(Wg [c_t; y_t; x_t] + bg), the probability of generating rather than copying
/// Their encoder is recurrent: its rows know what stands before them. Those of additive attention
/// know their own token and the whole document, but not their neighbours; Wp tells the pointer
/// where a copied phrase goes on. Parameters: `<name>.query`, `<name>.key`, `<name>.previous` and
/// `<name>.gate`.
struct CopyHead {
  CopyHead() = default;
  CopyHead(nn::ParameterStore& store, const std::string& name, std::int64_t width)
      : query(store, name + ".query", width, width),
        key(store, name + ".key", width, width),
        previous(store.normal(name + ".previous.weight", {width, width})),
        gate(store, name + ".gate", 3 * width, 1) {}

  /// k [S, d] of the encoded documents [S, d].
  at::Tensor keys(const at::Tensor& memory, const nn::Offsets& offsets) const {
    const auto before = nn::previous_rows(memory, offsets);
    return key.forward(memory) + nn::affine(before, previous, {}, nn::token_operands());
  }
  /// Logits of g [T, 1] of rows [T, d] each.
  at::Tensor gate_logits(const at::Tensor& context, const at::Tensor& decoded,
                         const at::Tensor& input) const {
    return gate.forward(at::cat({context, decoded, input}, 1));
  }
  explicit operator bool() const { return static_cast<bool>(query); }

  nn::Linear query, key;
  at::Tensor previous;  ///< [d, d]
  nn::Linear gate;
};

}  // namespace fastformer::tasks
