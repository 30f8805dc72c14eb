#pragma once

#include <cmath>

#include "fastformer/nn/mixers/additive_attention.h"
#include "nn/mixers/mixer_check.h"

/// The definition of additive attention (see `mixers/additive_attention.h`), one sequence at a time
/// and one step a line: what the cheaper forms are compared with.
namespace fastformer::nn {

inline Definition additive_definition(const model::EncoderConfig& config) {
  return [config](const at::Tensor& x, const ParameterMap& parameters) {
    const auto& fields = config.mixer.fields<model::AdditiveFields>();
    const auto n = x.size(0), heads = config.heads, head_width = config.width / heads;
    const auto logits_of = [&](const std::string& name, const at::Tensor& rows) {
      const auto scale = 1.0 / std::sqrt(static_cast<double>(head_width));
      if (fields.logits == model::LogitColumns::kFull) {
        return (apply_linear(parameters, name, rows) * scale).expand({n, heads});
      }
      const auto by_head = rows.view({n, heads, head_width});
      const auto products = by_head * parameters.at(name + ".weight");
      return (products.sum(2) + parameters.at(name + ".bias")) * scale;
    };
    const auto pool = [&](const at::Tensor& rows, const at::Tensor& weights) {
      const auto weighted = rows.view({n, heads, head_width}) * weights.unsqueeze(2);
      return weighted.sum(0).view({config.width});
    };
    const auto interact = [&](const std::string& name, const at::Tensor& global,
                              const at::Tensor& rows) {
      if (fields.interaction == model::Interaction::kProduct) return global * rows;
      if (fields.interaction == model::Interaction::kAdd) return global + rows;
      return apply_linear(parameters, name, at::cat({global.expand_as(rows), rows}, 1));
    };

    const auto query = apply_linear(parameters, "query", x);
    const auto key = apply_linear(parameters, "key", x);
    const auto value = fields.share_query_value ? query : apply_linear(parameters, "value", x);
    const auto global_query = pool(query, at::softmax(logits_of("query_logits", query), 0));
    const auto mixed = interact("key_interaction", global_query, key);
    const auto global_key = pool(mixed, at::softmax(logits_of("key_logits", mixed), 0));
    const auto transformed = interact("value_interaction", global_key, value);
    const auto y = apply_linear(parameters, "transform", transformed) + query;
    return config.output_projection ? apply_linear(parameters, "output", y) : y;
  };
}

}  // namespace fastformer::nn
