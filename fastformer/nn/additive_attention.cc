#include "fastformer/nn/additive_attention.h"

#include <cmath>
#include <vector>

#include "fastformer/nn/ragged_ops.h"

namespace fastformer::nn {

// A pooled global vector for each sequence, with the weights that pooled it.
struct AdditiveAttention::Globals {
  at::Tensor vectors;  // [B, d]
  at::Tensor weights;  // [T, h]
};

AdditiveAttention::AdditiveAttention(const EncoderConfig& config, ParameterStore& store,
                                     const std::string& name)
    : config_(config) {
  const auto width = config.width;
  const auto columns = config.logits == "full" ? width : width / config.heads;
  const auto rows = config.shares("heads") ? 1 : config.heads;
  query_ = Linear(store, name + ".query", width, width);
  query_logits_ = Linear(store, name + ".query_logits", columns, rows);
  key_ = Linear(store, name + ".key", width, width);
  key_logits_ = Linear(store, name + ".key_logits", columns, rows);
  if (!config.shares("query_value")) value_ = Linear(store, name + ".value", width, width);
  if (config.interaction == "concat") {
    key_interaction_ = Linear(store, name + ".key_interaction", 2 * width, width);
    value_interaction_ = Linear(store, name + ".value_interaction", 2 * width, width);
  }
  transform_ = Linear(store, name + ".transform", width, width);
  if (config.output_projection) output_ = Linear(store, name + ".output", width, width);
}

at::Tensor AdditiveAttention::forward(const at::Tensor& x, const Offsets& offsets,
                                      MixerTrace* trace) const {
  if (config_.form == "direct") return forward_direct(x, offsets, trace);
  if (config_.form == "shared_query") return forward_shared_query(x, offsets, trace);
  const bool one_matrix = config_.interaction != "product";
  const bool long_sequences = 2 * offsets.total() >= 3 * config_.width * offsets.size();
  if (config_.form == "merged" || one_matrix || long_sequences) {
    return forward_merged(x, offsets, trace);
  }
  return forward_shared_query(x, offsets, trace);
}

// The logit layer as one [h, d] matrix, scaled by 1 / sqrt(e). A head that sees its own columns
// only is a row that is zero elsewhere.
at::Tensor AdditiveAttention::logit_matrix(const Linear& logits) const {
  const auto heads = config_.heads, head_width = config_.width / heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(head_width));
  auto weight = (logits.weight * scale).expand({heads, logits.weight.size(1)});
  if (config_.logits == "full") return weight;
  const auto own = at::eye(heads, weight.options()).repeat_interleave(head_width, 1);
  return weight.repeat({1, heads}) * own;
}

// pooled [B, h, d], weight [d, d] -> [B, d]: head h takes its own e rows of the weight.
at::Tensor AdditiveAttention::by_head(const at::Tensor& weight, const at::Tensor& pooled) const {
  const auto heads = config_.heads, width = config_.width;
  const auto rows = weight.view({heads, width / heads, width}).transpose(1, 2);  // [h, d, e]
  return at::bmm(pooled.transpose(0, 1), rows).transpose(0, 1).reshape({-1, width});
}

AdditiveAttention::Globals AdditiveAttention::global_key(const at::Tensor& x,
                                                         const at::Tensor& global_query,
                                                         const Offsets& offsets) const {
  const auto heads = config_.heads, width = config_.width;
  const auto logits = logit_matrix(key_logits_);
  if (config_.interaction == "product") {
    const auto mixed = (logits.unsqueeze(0) * global_query.unsqueeze(1)).reshape({-1, width});
    const auto queries = at::mm(mixed, key_.weight).view({offsets.size(), heads, width});
    const auto pooled = pool_rows(x, queries, offsets);
    return {global_query * (by_head(key_.weight, pooled.vectors) + key_.bias), pooled.weights};
  }
  if (config_.interaction == "add") {
    const auto pooled = pool_rows(x, at::mm(logits, key_.weight).unsqueeze(0), offsets);
    return {global_query + by_head(key_.weight, pooled.vectors) + key_.bias, pooled.weights};
  }
  const auto query_half = key_interaction_.weight.narrow(1, 0, width);
  const auto key_half = key_interaction_.weight.narrow(1, width, width);
  const auto weight = at::mm(key_half, key_.weight);
  const auto pooled = pool_rows(x, at::mm(logits, weight).unsqueeze(0), offsets);
  const auto constant = at::mv(key_half, key_.bias) + key_interaction_.bias;
  return {at::linear(global_query, query_half, constant) + by_head(weight, pooled.vectors),
          pooled.weights};
}

at::Tensor AdditiveAttention::forward_shared_query(const at::Tensor& x, const Offsets& offsets,
                                                   MixerTrace* trace) const {
  const auto query = query_.forward(x);
  const auto logits = at::linear(query, logit_matrix(query_logits_));
  const auto global_query = pool_own_columns(query, logits, offsets);
  const auto global_key = this->global_key(x, global_query.vectors, offsets);
  if (trace != nullptr) *trace = {global_query.weights, global_key.weights};

  const auto values = value_ ? value_.forward(x) : query;
  at::Tensor interaction;
  if (config_.interaction == "product") {
    interaction = expand_rows(global_key.vectors, offsets) * values;
  } else if (config_.interaction == "add") {
    interaction = expand_rows(global_key.vectors, offsets) + values;
  } else {
    const auto& weight = value_interaction_.weight;
    const auto constant =
        at::linear(global_key.vectors, weight.narrow(1, 0, config_.width), value_interaction_.bias);
    interaction = at::linear(values, weight.narrow(1, config_.width, config_.width)) +
                  expand_rows(constant, offsets);
  }
  const auto y = transform_.forward(interaction) + query;
  return output_ ? output_.forward(y) : y;
}

at::Tensor AdditiveAttention::forward_merged(const at::Tensor& x, const Offsets& offsets,
                                             MixerTrace* trace) const {
  const auto queries = at::mm(logit_matrix(query_logits_), query_.weight).unsqueeze(0);
  const auto pooled = pool_rows(x, queries, offsets);
  const auto global_query = by_head(query_.weight, pooled.vectors) + query_.bias;
  const auto global_key = this->global_key(x, global_query, offsets);
  if (trace != nullptr) *trace = {pooled.weights, global_key.weights};

  // With Wo folded in: outer stands for Wo Wt, direct for Wo Wq.
  const auto fold = [&](const at::Tensor& weight) {
    return output_ ? at::mm(output_.weight, weight) : weight;
  };
  const auto outer = fold(transform_.weight), direct = fold(query_.weight);
  auto inner = value().weight;
  auto constant = transform_.bias + query_.bias;
  if (output_) constant = at::mv(output_.weight, constant) + output_.bias;

  if (config_.interaction == "product") {
    const auto constants = at::linear(global_key.vectors * value().bias, outer, constant);
    std::vector<at::Tensor> rows;
    for (std::int64_t b = 0; b < offsets.size(); ++b) {
      const auto matrix = at::addmm(direct, outer * global_key.vectors[b], inner);
      rows.push_back(
          at::addmm(constants[b], x.narrow(0, offsets.begin_of(b), offsets.length(b)), matrix.t()));
    }
    return rows.empty() ? at::zeros_like(x) : at::cat(rows);
  }
  // Every sequence has the same matrix; the global key only moves the constant.
  auto global_part = global_key.vectors + value().bias;
  if (config_.interaction == "concat") {
    const auto& weight = value_interaction_.weight;
    const auto value_half = weight.narrow(1, config_.width, config_.width);
    global_part = at::linear(global_key.vectors, weight.narrow(1, 0, config_.width),
                             value_interaction_.bias + at::mv(value_half, value().bias));
    inner = at::mm(value_half, inner);
  }
  const auto constants = at::linear(global_part, outer, constant);
  return at::linear(x, at::addmm(direct, outer, inner)) + expand_rows(constants, offsets);
}

}  // namespace fastformer::nn
