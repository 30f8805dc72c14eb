#pragma once

#include <ATen/ATen.h>

#include <string>

#include "fastformer/nn/linear.h"

namespace fastformer::tasks {

/// The pointer of a pointer-generator (See et al., arXiv 1704.04368, section 2.2), with one head of
/// scaled dot-product attention in place of their additive one. For a row of the decoder y_t, its
/// input x_t and the encoded document E:
///   a_t = softmax_j((Wq y_t + bq) . (Wk E_j + bk) / sqrt(d)),   c_t = sum_j a_tj E_j
///   g_t = sigmoid(Wg [c_t; y_t; x_t] + bg), the probability of generating rather than copying
/// Parameters: `<name>.query`, `<name>.key` and `<name>.gate`.
struct CopyHead {
  CopyHead() = default;
  CopyHead(nn::ParameterStore& store, const std::string& name, std::int64_t width)
      : query(store, name + ".query", width, width),
        key(store, name + ".key", width, width),
        gate(store, name + ".gate", 3 * width, 1) {}

  /// Logits of g [T, 1] of rows [T, d] each.
  at::Tensor gate_logits(const at::Tensor& context, const at::Tensor& decoded,
                         const at::Tensor& input) const {
    return gate.forward(at::cat({context, decoded, input}, 1));
  }
  explicit operator bool() const { return static_cast<bool>(query); }

  nn::Linear query, key, gate;
};

}  // namespace fastformer::tasks
