#include "fastformer/nn/mixers/additive_attention.h"

#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <limits>

#include "fastformer/nn/layers/ragged_ops.h"
#include "fastformer/nn/mixers/row_pooling.h"
#include "fastformer/nn/parallel_gemm.h"

namespace fastformer::nn {
namespace {

using kernels::Operands;
using kernels::Transpose;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// [B, h, m], in rows even where the factors are not: a product has the strides of its factors.
at::Tensor gated_logits(const at::Tensor& logits, const at::Tensor& gates) {
  return (logits.unsqueeze(0) * gates.unsqueeze(1)).contiguous();
}

class KeyQueries : public Function<KeyQueries> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& logits,
                            const at::Tensor& gates, const at::Tensor& weight_in) {
    const auto weight = weight_in.contiguous();
    const auto rows = gated_logits(logits, gates);
    const auto in = weight.size(0), out = weight.size(1);
    auto queries = at::empty({rows.size(0), rows.size(1), out}, rows.options());
    AT_DISPATCH_FLOATING_TYPES(rows.scalar_type(), "key_queries", [&] {
      gemm_by_rows<scalar_t>(Transpose::kNo, rows.size(0) * rows.size(1), out, in,
                             rows.const_data_ptr<scalar_t>(), weight.const_data_ptr<scalar_t>(),
                             out, {}, queries.mutable_data_ptr<scalar_t>(), Operands::kFloat);
    });
    context->save_for_backward({logits, gates, weight});
    return queries;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &logits = saved[0], &gates = saved[1], &weight = saved[2];
    const auto gradient = gradients[0].contiguous();
    const auto count = gradient.size(0) * gradient.size(1);
    const auto in = weight.size(0), out = weight.size(1);
    auto rows = gated_logits(logits, gates);
    auto dweight = at::empty_like(weight);
    AT_DISPATCH_FLOATING_TYPES(rows.scalar_type(), "key_queries_backward", [&] {
      const auto* g = gradient.const_data_ptr<scalar_t>();
      auto* row = rows.mutable_data_ptr<scalar_t>();
      gemm_by_depth(in, out, count, row, g, dweight.mutable_data_ptr<scalar_t>(), Operands::kFloat);
      // The rows are no longer needed; their gradient overwrites them.
      gemm_by_rows<scalar_t>(Transpose::kYes, count, in, out, g, weight.const_data_ptr<scalar_t>(),
                             out, {}, row, Operands::kFloat);
    });
    return {(rows * gates.unsqueeze(1)).sum(0), (rows * logits.unsqueeze(0)).sum(1), dweight};
  }
};

}  // namespace

at::Tensor key_queries(const at::Tensor& logits, const at::Tensor& gates,
                       const at::Tensor& weight) {
  TORCH_CHECK(logits.dim() == 2 && gates.dim() == 2 && weight.dim() == 2 &&
                  logits.size(1) == weight.size(0) && gates.size(1) == weight.size(0),
              "expected logits [h, m], gates [B, m] and a weight [m, d], got ", logits.sizes(),
              ", ", gates.sizes(), " and ", weight.sizes());
  TORCH_CHECK(
      logits.scalar_type() == weight.scalar_type() && gates.scalar_type() == weight.scalar_type(),
      "expected logits and gates of the type ", weight.scalar_type(), ", got ",
      logits.scalar_type(), " and ", gates.scalar_type());
  return KeyQueries::apply(logits, gates, weight);
}

AdditiveAttention::AdditiveAttention(const model::MixerShape& shape,
                                     const model::AdditiveFields& fields, ParameterStore& store,
                                     const std::string& name, AdditiveForm form)
    : width_(shape.width), heads_(shape.heads), fields_(fields), form_(form) {
  const bool full = fields.logits == model::LogitColumns::kFull;
  const auto columns = full ? width_ : width_ / heads_;
  const auto rows = fields.share_heads ? 1 : heads_;
  query_ = Linear(store, name + ".query", width_, width_);
  query_logits_ = Linear(store, name + ".query_logits", columns, rows);
  key_ = Linear(store, name + ".key", width_, width_);
  key_logits_ = Linear(store, name + ".key_logits", columns, rows);
  if (!fields.share_query_value) value_ = Linear(store, name + ".value", width_, width_);
  if (fields.interaction == model::Interaction::kConcat) {
    key_interaction_ = Linear(store, name + ".key_interaction", 2 * width_, width_);
    value_interaction_ = Linear(store, name + ".value_interaction", 2 * width_, width_);
  }
  transform_ = Linear(store, name + ".transform", width_, width_);
  if (shape.output_projection) output_ = Linear(store, name + ".output", width_, width_);
}

// The logit layer [h, d], or [h, e] for logits per head, scaled by 1 / sqrt(e).
at::Tensor AdditiveAttention::logit_rows(const Linear& logits) const {
  const double scale = 1.0 / std::sqrt(static_cast<double>(width_ / heads_));
  return (logits.weight * scale).expand({heads_, logits.weight.size(1)});
}

// The same as one [h, d] matrix: zero in the columns of other heads.
at::Tensor AdditiveAttention::logit_matrix(const Linear& logits) const {
  const auto rows = logit_rows(logits);
  if (fields_.logits == model::LogitColumns::kFull) return rows;
  const auto own = at::eye(heads_, rows.options()).repeat_interleave(rows.size(1), 1);
  return rows.repeat({1, heads_}) * own;
}

// pooled [B, h, d], weight [d, d] -> [B, d]: head h takes its own e rows of the weight.
at::Tensor AdditiveAttention::by_head(const at::Tensor& weight, const at::Tensor& pooled) const {
  const auto rows = weight.view({heads_, width_ / heads_, width_}).transpose(1, 2);  // [h, d, e]
  return at::bmm(pooled.transpose(0, 1), rows).transpose(0, 1).reshape({-1, width_});
}

// The queries [B or 1, h, d] whose products with X are the logits of beta, up to constants.
at::Tensor AdditiveAttention::queries_of_keys(const at::Tensor& global_query,
                                              const at::Tensor& key_weight) const {
  if (fields_.interaction != model::Interaction::kProduct) {
    return affine(logit_matrix(key_logits_), key_weight.t()).unsqueeze(0);
  }
  if (fields_.logits == model::LogitColumns::kFull) {
    return key_queries(logit_rows(key_logits_), global_query, key_weight);
  }
  // A head needs only its own rows of the weight: d x d per sequence instead of h x d x d.
  const auto gated = global_query.view({-1, heads_, width_ / heads_}) * logit_rows(key_logits_);
  return at::bmm(gated.transpose(0, 1), key_weight.view({heads_, width_ / heads_, width_}))
      .transpose(0, 1);
}

AdditiveAttention::Globals AdditiveAttention::globals(const at::Tensor& x, const Offsets& offsets,
                                                      MixerTrace* trace) const {
  const auto queries = affine(logit_matrix(query_logits_), query_.weight.t()).unsqueeze(0);
  const auto query_rows = pool_rows(x, queries, offsets);
  const auto global_query = by_head(query_.weight, query_rows.vectors) + query_.bias;

  const bool concat = fields_.interaction == model::Interaction::kConcat;
  const auto key_half = concat ? key_interaction_.weight.narrow(1, width_, width_) : at::Tensor();
  const auto key_weight = concat ? affine(key_half, key_.weight.t()) : key_.weight;
  const auto queries_of_keys = this->queries_of_keys(global_query, key_weight);
  const auto key_rows = pool_rows(query_rows.rows, queries_of_keys, offsets);
  if (trace != nullptr) {
    *trace = {pooling_weights(queries, query_rows, offsets),
              pooling_weights(queries_of_keys, key_rows, offsets)};
  }

  const auto key = by_head(key_weight, key_rows.vectors);
  if (fields_.interaction == model::Interaction::kProduct) {
    return {global_query * (key + key_.bias), key_rows.rows};
  }
  if (fields_.interaction == model::Interaction::kAdd) {
    return {global_query + key + key_.bias, key_rows.rows};
  }
  const auto query_half = key_interaction_.weight.narrow(1, 0, width_);
  const auto constant = at::mv(key_half, key_.bias) + key_interaction_.bias;
  return {affine(global_query, query_half, constant) + key, key_rows.rows};
}

// The length from which one matrix per sequence is faster. In units of d x d multiplications it
// takes (n + d) forward and (2 n + 3 d) backward, the other way 3 n and 7 n: fewer from 4/7 d on,
// in measurements from 0.55 to 0.75 d (widths 256 to 64). The matrix is composed in fp32, which
// takes twice as long as bf16 rows: in bf16 the two are equal from d to 1.5 d.
std::int64_t AdditiveAttention::least_merged() const {
  if (form_ == AdditiveForm::kMerged) return 0;
  if (form_ == AdditiveForm::kSharedQuery) return std::numeric_limits<std::int64_t>::max();
  const bool rounded = kernels::token_operands() != Operands::kFloat;
  return rounded ? 3 * width_ / 2 : 2 * width_ / 3;
}

// The matrices and constants that the last step applies to the tokens, by products of parameters.
AdditiveAttention::Folded AdditiveAttention::fold(const Globals& globals) const {
  // With Wo folded in: outer is Wo Wt, direct is Wo Wq.
  const auto fold = [&](const at::Tensor& weight) {
    return output_ ? affine(output_.weight, weight.t()) : weight;
  };
  const auto outer = fold(transform_.weight), direct = fold(query_.weight);
  auto inner = value().weight;
  auto constant = transform_.bias + query_.bias;
  if (output_) constant = at::mv(output_.weight, constant) + output_.bias;
  if (fields_.interaction == model::Interaction::kProduct) {
    return {{inner, outer, direct}, affine(globals.key * value().bias, outer, constant)};
  }
  // Every sequence has the same matrix; the global key only moves the constant.
  auto global_part = globals.key + value().bias;
  if (fields_.interaction == model::Interaction::kConcat) {
    const auto& weight = value_interaction_.weight;
    const auto value_half = weight.narrow(1, width_, width_);
    global_part = affine(globals.key, weight.narrow(1, 0, width_),
                         value_interaction_.bias + at::mv(value_half, value().bias));
    inner = affine(value_half, inner.t());
  }
  return {{{}, {}, affine(outer, inner.t()) + direct}, affine(global_part, outer, constant)};
}

at::Tensor AdditiveAttention::forward(const at::Tensor& x, const Offsets& offsets,
                                      MixerTrace* trace) const {
  const auto globals = this->globals(x, offsets, trace);
  const auto [weights, constants] = fold(globals);
  if (fields_.interaction == model::Interaction::kProduct) {
    return gated_linear(globals.rows, weights, globals.key, constants, offsets, least_merged());
  }
  return affine(globals.rows, weights.direct, {}, kernels::token_operands()) +
         expand_rows(constants, offsets);
}

void AdditiveAttention::stream(const at::Tensor& x, const Offsets& offsets,
                               const RowSink& sink) const {
  if (fields_.interaction != model::Interaction::kProduct) return Mixer::stream(x, offsets, sink);
  const auto globals = this->globals(x, offsets, nullptr);
  const auto [weights, constants] = fold(globals);
  stream_gated_linear(x, weights, globals.key, constants, offsets, least_merged(), sink);
}

double AdditiveAttention::multiply_adds(std::int64_t tokens) const {
  const auto n = static_cast<double>(tokens), d = static_cast<double>(width_);
  const auto heads = static_cast<double>(heads_);
  const double poolings = 4 * n * heads * d;   // logits and sums, twice
  const double globals = (heads + 2) * d * d;  // their queries, and the pooled vectors
  // For the other interactions one matrix is composed per batch.
  const bool one_matrix = fields_.interaction != model::Interaction::kProduct;
  if (!one_matrix && tokens < least_merged()) return 3 * n * d * d + poolings + globals;
  return n * d * d + poolings + globals + (one_matrix ? 0 : d * d * d);
}

}  // namespace fastformer::nn
