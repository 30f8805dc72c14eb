#include "fastformer/nn/linear.h"

#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "fastformer/nn/parallel_gemm.h"

namespace fastformer::nn {
namespace {

using kernels::Transpose;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

class LinearFunction : public Function<LinearFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in,
                            const at::Tensor& weight_in, const std::optional<at::Tensor>& bias,
                            std::int64_t rounding) {
    const auto x = x_in.contiguous();
    // The transposed view of a matrix, as W^T of another layer, is read as it lies.
    const bool flipped = !weight_in.is_contiguous() && weight_in.t().is_contiguous();
    const auto weight = flipped ? weight_in.t() : weight_in.contiguous();
    const std::int64_t rows = x.size(0), in = x.size(1), out = weight_in.size(0);
    const auto operands = static_cast<kernels::Operands>(rounding);
    auto y = at::empty({rows, out}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "linear", [&] {
      kernels::Start<scalar_t> start;
      if (bias) start.row = bias->const_data_ptr<scalar_t>();
      gemm_by_rows<scalar_t>(flipped ? Transpose::kNo : Transpose::kYes, rows, out, in,
                             x.const_data_ptr<scalar_t>(), weight.const_data_ptr<scalar_t>(),
                             weight.size(1), start, y.mutable_data_ptr<scalar_t>(), operands);
    });
    context->save_for_backward({x, weight});
    context->saved_data["flipped"] = flipped;
    context->saved_data["biased"] = bias.has_value();
    context->saved_data["rounding"] = rounding;
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1];
    const bool flipped = context->saved_data["flipped"].toBool();
    const auto operands = static_cast<kernels::Operands>(context->saved_data["rounding"].toInt());
    const auto gradient = gradients[0].contiguous();
    const std::int64_t rows = x.size(0), in = x.size(1), out = gradient.size(1);
    at::Tensor dx, dweight, dbias;
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "linear_backward", [&] {
      const auto* g = gradient.const_data_ptr<scalar_t>();
      if (context->needs_input_grad(0)) {
        dx = at::empty_like(x);
        gemm_by_rows<scalar_t>(flipped ? Transpose::kYes : Transpose::kNo, rows, in, out, g,
                               weight.const_data_ptr<scalar_t>(), weight.size(1), {},
                               dx.mutable_data_ptr<scalar_t>(), operands);
      }
      if (context->needs_input_grad(1)) {
        dweight = at::empty({out, in}, x.options());
        gemm_by_depth(out, in, rows, g, x.const_data_ptr<scalar_t>(),
                      dweight.mutable_data_ptr<scalar_t>(), operands);
      }
    });
    if (context->saved_data["biased"].toBool() && context->needs_input_grad(2)) {
      dbias = gradient.sum(0);
    }
    return {dx, dweight, dbias, at::Tensor()};
  }
};

}  // namespace

at::Tensor affine(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                  kernels::Operands operands) {
  TORCH_CHECK(x.dim() == 2 && weight.dim() == 2 && x.size(1) == weight.size(1),
              "expected x [T, k] and a weight [n, k], got ", x.sizes(), " and ", weight.sizes());
  TORCH_CHECK(x.scalar_type() == weight.scalar_type(), "expected a weight of the type ",
              x.scalar_type(), ", got ", weight.scalar_type());
  TORCH_CHECK(!bias.defined() || bias.sizes() == at::IntArrayRef({weight.size(0)}),
              "expected a bias [", weight.size(0), "], got one of another shape");
  return LinearFunction::apply(x, weight,
                               bias.defined() ? std::optional(bias.contiguous()) : std::nullopt,
                               static_cast<std::int64_t>(operands));
}

}  // namespace fastformer::nn
