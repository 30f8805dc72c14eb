#include "fastformer/nn/additive_attention.h"

#include <cmath>
#include <limits>

#include "fastformer/nn/key_queries.h"
#include "fastformer/nn/precision.h"
#include "fastformer/nn/ragged_ops.h"
#include "fastformer/nn/row_pooling.h"

namespace fastformer::nn {

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
  return config_.form == "direct" ? forward_direct(x, offsets, trace)
                                  : forward_folded(x, offsets, trace);
}

// The logit layer [h, d], or [h, e] where a head sees its own columns only, scaled by 1 / sqrt(e).
at::Tensor AdditiveAttention::logit_rows(const Linear& logits) const {
  const auto heads = config_.heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(config_.width / heads));
  return (logits.weight * scale).expand({heads, logits.weight.size(1)});
}

// The same as one [h, d] matrix: zero in the columns that a head does not see.
at::Tensor AdditiveAttention::logit_matrix(const Linear& logits) const {
  const auto rows = logit_rows(logits);
  if (config_.logits == "full") return rows;
  const auto own = at::eye(config_.heads, rows.options()).repeat_interleave(rows.size(1), 1);
  return rows.repeat({1, config_.heads}) * own;
}

// pooled [B, h, d], weight [d, d] -> [B, d]: head h takes its own e rows of the weight.
at::Tensor AdditiveAttention::by_head(const at::Tensor& weight, const at::Tensor& pooled) const {
  const auto heads = config_.heads, width = config_.width;
  const auto rows = weight.view({heads, width / heads, width}).transpose(1, 2);  // [h, d, e]
  return at::bmm(pooled.transpose(0, 1), rows).transpose(0, 1).reshape({-1, width});
}

// The queries [B or 1, h, d] whose products with X are the logits of beta, up to constants.
at::Tensor AdditiveAttention::key_queries(const at::Tensor& global_query,
                                          const at::Tensor& key_weight) const {
  const auto heads = config_.heads, width = config_.width;
  if (config_.interaction != "product") {
    return affine(logit_matrix(key_logits_), key_weight.t()).unsqueeze(0);
  }
  if (config_.logits == "full") {
    return nn::key_queries(logit_rows(key_logits_), global_query, key_weight);
  }
  // A head needs its own rows of the weight only: d x d a sequence instead of h x d x d.
  const auto gated = global_query.view({-1, heads, width / heads}) * logit_rows(key_logits_);
  return at::bmm(gated.transpose(0, 1), key_weight.view({heads, width / heads, width}))
      .transpose(0, 1);
}

AdditiveAttention::Globals AdditiveAttention::globals(const at::Tensor& x, const Offsets& offsets,
                                                      MixerTrace* trace) const {
  const auto width = config_.width;
  const auto queries = affine(logit_matrix(query_logits_), query_.weight.t()).unsqueeze(0);
  const auto query_rows = pool_rows(x, queries, offsets);
  const auto global_query = by_head(query_.weight, query_rows.vectors) + query_.bias;

  const bool concat = config_.interaction == "concat";
  const auto key_half = concat ? key_interaction_.weight.narrow(1, width, width) : at::Tensor();
  const auto key_weight = concat ? affine(key_half, key_.weight.t()) : key_.weight;
  const auto key_queries = this->key_queries(global_query, key_weight);
  const auto key_rows = pool_rows(query_rows.rows, key_queries, offsets);
  if (trace != nullptr) {
    *trace = {pooling_weights(queries, query_rows, offsets),
              pooling_weights(key_queries, key_rows, offsets)};
  }

  const auto key = by_head(key_weight, key_rows.vectors);
  if (config_.interaction == "product") return {global_query * (key + key_.bias), key_rows.rows};
  if (config_.interaction == "add") return {global_query + key + key_.bias, key_rows.rows};
  const auto query_half = key_interaction_.weight.narrow(1, 0, width);
  const auto constant = at::mv(key_half, key_.bias) + key_interaction_.bias;
  return {affine(global_query, query_half, constant) + key, key_rows.rows};
}

// From how many tokens on a sequence pays for a matrix of its own. Of d x d multiplications each,
// it takes (n + d) forward and (2 n + 3 d) backward, the tokens alone 3 n and 7 n: less from 4/7 d
// on, and measured so from 0.55 to 0.75 d (widths 256 to 64). The matrix is composed in fp32, which
// takes twice as long as the rows do in bf16: measured level there from d to 1.5 d.
std::int64_t AdditiveAttention::least_merged() const {
  if (config_.form == "merged") return 0;
  if (config_.form == "shared_query") return std::numeric_limits<std::int64_t>::max();
  const bool rounded = token_operands() != kernels::Operands::kFloat;
  return rounded ? 3 * config_.width / 2 : 2 * config_.width / 3;
}

// Everything that stands before the tokens in the last step, by products of parameters.
AdditiveAttention::Folded AdditiveAttention::fold(const Globals& globals) const {
  // With Wo folded in: outer stands for Wo Wt, direct for Wo Wq.
  const auto fold = [&](const at::Tensor& weight) {
    return output_ ? affine(output_.weight, weight.t()) : weight;
  };
  const auto outer = fold(transform_.weight), direct = fold(query_.weight);
  auto inner = value().weight;
  auto constant = transform_.bias + query_.bias;
  if (output_) constant = at::mv(output_.weight, constant) + output_.bias;
  if (config_.interaction == "product") {
    return {{inner, outer, direct}, affine(globals.key * value().bias, outer, constant)};
  }
  // Every sequence has the same matrix; the global key only moves the constant.
  auto global_part = globals.key + value().bias;
  if (config_.interaction == "concat") {
    const auto& weight = value_interaction_.weight;
    const auto value_half = weight.narrow(1, config_.width, config_.width);
    global_part = affine(globals.key, weight.narrow(1, 0, config_.width),
                         value_interaction_.bias + at::mv(value_half, value().bias));
    inner = affine(value_half, inner.t());
  }
  return {{{}, {}, affine(outer, inner.t()) + direct}, affine(global_part, outer, constant)};
}

at::Tensor AdditiveAttention::forward_folded(const at::Tensor& x, const Offsets& offsets,
                                             MixerTrace* trace) const {
  const auto globals = this->globals(x, offsets, trace);
  const auto [weights, constants] = fold(globals);
  if (config_.interaction == "product") {
    return gated_linear(globals.rows, weights, globals.key, constants, offsets, least_merged());
  }
  return affine(globals.rows, weights.direct, {}, token_operands()) +
         expand_rows(constants, offsets);
}

void AdditiveAttention::stream(const at::Tensor& x, const Offsets& offsets,
                               const RowSink& sink) const {
  if (config_.form == "direct" || config_.interaction != "product") {
    return Mixer::stream(x, offsets, sink);
  }
  const auto globals = this->globals(x, offsets, nullptr);
  const auto [weights, constants] = fold(globals);
  stream_gated_linear(x, weights, globals.key, constants, offsets, least_merged(), sink);
}

double AdditiveAttention::multiply_adds(std::int64_t tokens) const {
  const auto n = static_cast<double>(tokens), d = static_cast<double>(config_.width);
  const auto heads = static_cast<double>(config_.heads);
  const double poolings = 4 * n * heads * d;                 // logits and sums, twice
  const double globals = (heads + 2) * d * d;                // their queries, and what they pooled
  const bool one_matrix = config_.interaction != "product";  // composed once for a whole batch
  if (!one_matrix && tokens < least_merged()) return 3 * n * d * d + poolings + globals;
  return n * d * d + poolings + globals + (one_matrix ? 0 : d * d * d);
}

}  // namespace fastformer::nn
