#include "fastformer/nn/layers/linear.h"

#include <torch/csrc/autograd/custom_function.h>

#include <optional>
#include <vector>

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
    // The transposed view of a matrix, as W^T of another layer, is read without a copy.
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

class Project : public Function<Project> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& x_in,
                               at::TensorList weights, at::TensorList biases,
                               std::int64_t rounding) {
    const auto x = x_in.contiguous();
    const auto rows = x.size(0), in = x.size(1);
    variable_list saved = {x}, outputs;
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "project", [&] {
      for (std::size_t p = 0; p < weights.size(); ++p) {
        const auto weight = weights[p].contiguous(), bias = biases[p].contiguous();
        const auto out = weight.size(0);
        auto y = at::empty({rows, out}, x.options());
        gemm_by_rows<scalar_t>(
            Transpose::kYes, rows, out, in, x.const_data_ptr<scalar_t>(),
            weight.const_data_ptr<scalar_t>(), in, {.row = bias.const_data_ptr<scalar_t>()},
            y.mutable_data_ptr<scalar_t>(), static_cast<kernels::Operands>(rounding));
        saved.push_back(weight);
        outputs.push_back(y);
      }
    });
    context->save_for_backward(saved);
    context->saved_data["rounding"] = rounding;
    return outputs;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients_in) {
    const auto saved = context->get_saved_variables();
    const auto& x = saved[0];
    const auto operands = static_cast<kernels::Operands>(context->saved_data["rounding"].toInt());
    const auto count = gradients_in.size();
    const auto rows = x.size(0), in = x.size(1);
    variable_list results(2 * count + 2);  // of x, the weights, the biases and the rounding
    if (context->needs_input_grad(0)) results[0] = at::empty_like(x);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "project_backward", [&] {
      for (std::size_t p = 0; p < count; ++p) {
        const auto gradient = gradients_in[p].contiguous();
        const auto out = gradient.size(1);
        const auto* g = gradient.const_data_ptr<scalar_t>();
        if (results[0].defined()) {
          gemm_by_rows<scalar_t>(Transpose::kNo, rows, in, out, g,
                                 saved[1 + p].const_data_ptr<scalar_t>(), in, {.keep = p > 0},
                                 results[0].mutable_data_ptr<scalar_t>(), operands);
        }
        if (context->needs_input_grad(1 + p)) {
          results[1 + p] = at::empty({out, in}, x.options());
          gemm_by_depth(out, in, rows, g, x.const_data_ptr<scalar_t>(),
                        results[1 + p].mutable_data_ptr<scalar_t>(), operands);
        }
        if (context->needs_input_grad(1 + count + p)) results[1 + count + p] = gradient.sum(0);
      }
    });
    return results;
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

std::vector<at::Tensor> project(const at::Tensor& x, std::initializer_list<Linear> layers) {
  TORCH_CHECK(x.dim() == 2, "expected rows [T, k], got a tensor of ", x.dim(), " dimensions");
  std::vector<at::Tensor> weights, biases;
  for (const auto& layer : layers) {
    TORCH_CHECK(layer.weight.size(1) == x.size(1), "expected a weight [n, ", x.size(1), "], got ",
                layer.weight.sizes());
    TORCH_CHECK(layer.weight.scalar_type() == x.scalar_type(), "expected a weight of the type ",
                x.scalar_type(), ", got ", layer.weight.scalar_type());
    weights.push_back(layer.weight);
    biases.push_back(layer.bias);
  }
  return Project::apply(x, at::TensorList(weights), at::TensorList(biases),
                        static_cast<std::int64_t>(kernels::token_operands()));
}

}  // namespace fastformer::nn
