#include "fastformer/nn/key_queries.h"

#include <torch/csrc/autograd/custom_function.h>

#include "fastformer/nn/parallel_gemm.h"

namespace fastformer::nn {
namespace {

using kernels::Operands;
using kernels::Transpose;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// [B, h, m], in rows even where the factors are not: a product has the strides of its factors.
at::Tensor gated(const at::Tensor& logits, const at::Tensor& gates) {
  return (logits.unsqueeze(0) * gates.unsqueeze(1)).contiguous();
}

class KeyQueries : public Function<KeyQueries> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& logits,
                            const at::Tensor& gates, const at::Tensor& weight_in) {
    const auto weight = weight_in.contiguous();
    const auto rows = gated(logits, gates);
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
    auto rows = gated(logits, gates);
    auto dweight = at::empty_like(weight);
    AT_DISPATCH_FLOATING_TYPES(rows.scalar_type(), "key_queries_backward", [&] {
      const auto* g = gradient.const_data_ptr<scalar_t>();
      auto* row = rows.mutable_data_ptr<scalar_t>();
      gemm_by_depth(in, out, count, row, g, dweight.mutable_data_ptr<scalar_t>(), Operands::kFloat);
      // The rows are not needed any more; their gradient takes their place.
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

}  // namespace fastformer::nn
