// The definition of additive attention, one sequence at a time and one step a line: what the
// cheaper forms in additive_attention.cc are tested against.
#include <cmath>
#include <vector>

#include "fastformer/nn/additive_attention.h"

namespace fastformer::nn {

at::Tensor AdditiveAttention::direct_sequence(const at::Tensor& x, MixerTrace* trace) const {
  const auto n = x.size(0), heads = config_.heads, head_width = config_.width / heads;
  const auto logits_of = [&](const Linear& layer, const at::Tensor& rows) {
    const auto scale = 1.0 / std::sqrt(static_cast<double>(head_width));
    if (config_.logits == "full") return (layer.forward(rows) * scale).expand({n, heads});
    const auto by_head = rows.view({n, heads, head_width});
    return ((by_head * layer.weight).sum(2) + layer.bias) * scale;
  };
  const auto pool = [&](const at::Tensor& rows, const at::Tensor& weights) {
    return (rows.view({n, heads, head_width}) * weights.unsqueeze(2)).sum(0).view({config_.width});
  };
  const auto interact = [&](const Linear& layer, const at::Tensor& global, const at::Tensor& rows) {
    if (config_.interaction == "product") return global * rows;
    if (config_.interaction == "add") return global + rows;
    return layer.forward(at::cat({global.expand_as(rows), rows}, 1));
  };

  const auto query = query_.forward(x), key = key_.forward(x);
  const auto values = value_ ? value_.forward(x) : query;
  const auto query_weights = at::softmax(logits_of(query_logits_, query), 0);
  const auto global_query = pool(query, query_weights);
  const auto mixed = interact(key_interaction_, global_query, key);
  const auto key_weights = at::softmax(logits_of(key_logits_, mixed), 0);
  const auto global_key = pool(mixed, key_weights);
  const auto y = transform_.forward(interact(value_interaction_, global_key, values)) + query;
  *trace = {query_weights, key_weights};
  return output_ ? output_.forward(y) : y;
}

at::Tensor AdditiveAttention::forward_direct(const at::Tensor& x, const Offsets& offsets,
                                             MixerTrace* trace) const {
  std::vector<at::Tensor> rows, query_weights, key_weights;
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    MixerTrace one;
    rows.push_back(direct_sequence(x.narrow(0, offsets.begin_of(b), offsets.length(b)), &one));
    query_weights.push_back(one.query_weights);
    key_weights.push_back(one.key_weights);
  }
  if (trace != nullptr && !rows.empty()) *trace = {at::cat(query_weights), at::cat(key_weights)};
  return rows.empty() ? at::zeros_like(x) : at::cat(rows);
}

}  // namespace fastformer::nn
