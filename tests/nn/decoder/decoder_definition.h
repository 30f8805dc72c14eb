#pragma once

#include <cmath>
#include <string>

#include "fastformer/model/encoder_config.h"
#include "nn/mixers/mixer_check.h"

/// A decoder of two layers with GELU from its definition: one sequence, dense weights, plain ATen.
namespace fastformer::nn {

/// softmax_j(Q_i . K_j / sqrt(e)) of an attention of that name: [h, T, S].
inline at::Tensor dense_weights(const ParameterMap& p, const std::string& name, const at::Tensor& x,
                                const at::Tensor& rows, std::int64_t heads, bool causal = false) {
  const auto query = split_heads(apply_linear(p, name + ".query", x), heads);
  const auto key = split_heads(apply_linear(p, name + ".key", rows), heads);
  auto logits =
      at::matmul(query, key.transpose(1, 2)) / std::sqrt(static_cast<double>(key.size(2)));
  if (causal) {
    const auto later = at::ones({x.size(0), x.size(0)}, at::kBool).triu(1);
    logits = logits.masked_fill(later, -std::numeric_limits<double>::infinity());
  }
  return at::softmax(logits, 2);
}

/// x [T, d], memory [S, d] -> [T, d]. `weights` may be null; else it receives those of the last
/// layer's attention to the document, [h, T, S].
inline at::Tensor decoder_definition(const ParameterMap& p, const std::string& decoder,
                                     std::int64_t heads, model::Normalization normalization,
                                     at::Tensor x, const at::Tensor& memory,
                                     at::Tensor* weights = nullptr) {
  const auto norm = [&](const std::string& name, const at::Tensor& rows) {
    return at::layer_norm(rows, {rows.size(1)}, p.at(name + ".normalization.weight"),
                          p.at(name + ".normalization.bias"), 1e-12);
  };
  const auto block = [&](const std::string& name, const auto& inner) {
    switch (normalization) {
      case model::Normalization::kPost:
        x = norm(name, x + inner(x));
        break;
      case model::Normalization::kPre:
        x = x + inner(norm(name, x));
        break;
      case model::Normalization::kNone:
        x = x + inner(x);
        break;
    }
  };
  const auto attend = [&](const std::string& name, const at::Tensor& by, const at::Tensor& rows) {
    const auto value = split_heads(apply_linear(p, name + ".value", rows), heads);
    return apply_linear(p, name + ".output", join_heads(at::matmul(by, value)));
  };
  for (int i = 0; i < 2; ++i) {
    const auto layer = decoder + ".layers." + std::to_string(i);
    const auto own = layer + ".self_attention", cross = layer + ".cross_attention";
    block(own, [&](const at::Tensor& rows) {
      return attend(own, dense_weights(p, own, rows, rows, heads, /*causal=*/true), rows);
    });
    block(cross, [&](const at::Tensor& rows) {
      const auto by = dense_weights(p, cross, rows, memory, heads);
      if (weights != nullptr) *weights = by;
      return attend(cross, by, memory);
    });
    block(layer + ".feed_forward", [&](const at::Tensor& rows) {
      const auto inner = at::gelu(apply_linear(p, layer + ".feed_forward.input", rows));
      return apply_linear(p, layer + ".feed_forward.output", inner);
    });
  }
  return normalization == model::Normalization::kPre ? norm(decoder, x) : x;
}

}  // namespace fastformer::nn
