#include "fastformer/nn/sequence_linear.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "fastformer/nn/parallel_gemm.h"
#include "fastformer/nn/precision.h"

namespace fastformer::nn {
namespace {

using kernels::Transpose;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// body(b) for every sequence: one thread each where there are enough of them, else one after the
// other with all threads in each product.
template <class Body>
void for_each_sequence(std::int64_t count, const Body& body) {
  const std::int64_t grain = count >= 2 * at::get_num_threads() ? 1 : count + 1;
  at::parallel_for(0, count, grain, [&](std::int64_t begin, std::int64_t end) {
    for (auto b = begin; b < end; ++b) body(b);
  });
}

class SequenceLinear : public Function<SequenceLinear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in,
                            const at::Tensor& matrices_in, const at::Tensor& constants_in,
                            const std::vector<std::int64_t>& offsets) {
    const auto x = x_in.contiguous(), matrices = matrices_in.contiguous();
    const auto constants = constants_in.contiguous();
    const std::int64_t in = x.size(1), out = matrices.size(1);
    const auto operands = token_operands();
    auto y = at::empty({x.size(0), out}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "sequence_linear", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      const auto* matrix = matrices.const_data_ptr<scalar_t>();
      const auto* constant = constants.const_data_ptr<scalar_t>();
      auto* result = y.mutable_data_ptr<scalar_t>();
      for_each_sequence(matrices.size(0), [&](std::int64_t b) {
        gemm_by_rows<scalar_t>(Transpose::kYes, offsets[b + 1] - offsets[b], out, in,
                               rows + offsets[b] * in, matrix + b * out * in, in,
                               {.row = constant + b * out}, result + offsets[b] * out, operands);
      });
    });
    context->save_for_backward({x, matrices});
    context->saved_data["offsets"] = offsets;
    context->saved_data["rounding"] = static_cast<std::int64_t>(operands);
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &matrices = saved[1];
    const auto offsets = context->saved_data["offsets"].toIntVector();
    const auto gradient = gradients[0].contiguous();
    const std::int64_t in = x.size(1), out = matrices.size(1);
    const auto operands = static_cast<kernels::Operands>(context->saved_data["rounding"].toInt());
    auto dx = at::empty_like(x), dmatrices = at::zeros_like(matrices);
    auto dconstants = at::zeros({matrices.size(0), out}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "sequence_linear_backward", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      const auto* matrix = matrices.const_data_ptr<scalar_t>();
      const auto* g = gradient.const_data_ptr<scalar_t>();
      auto* out_rows = dx.mutable_data_ptr<scalar_t>();
      auto* out_matrix = dmatrices.mutable_data_ptr<scalar_t>();
      auto* out_constant = dconstants.mutable_data_ptr<scalar_t>();
      for_each_sequence(matrices.size(0), [&](std::int64_t b) {
        const auto first = offsets[b], n = offsets[b + 1] - first;
        if (n == 0) return;
        for (auto i = first; i < first + n; ++i) {
          for (std::int64_t c = 0; c < out; ++c) out_constant[b * out + c] += g[i * out + c];
        }
        gemm_by_rows<scalar_t>(Transpose::kNo, n, in, out, g + first * out, matrix + b * out * in,
                               in, {}, out_rows + first * in, operands);
        gemm_by_depth(out, in, n, g + first * out, rows + first * in, out_matrix + b * out * in,
                      operands);
      });
    });
    return {dx, dmatrices, dconstants, at::Tensor()};
  }
};

}  // namespace

at::Tensor sequence_linear(const at::Tensor& x, const at::Tensor& matrices,
                           const at::Tensor& constants, const Offsets& offsets) {
  check_rows(x, offsets);
  TORCH_CHECK(
      matrices.dim() == 3 && matrices.size(0) == offsets.size() && matrices.size(2) == x.size(1),
      "expected matrices [", offsets.size(), ", e, ", x.size(1), "], got ", matrices.sizes());
  TORCH_CHECK(constants.dim() == 2 && constants.size(0) == matrices.size(0) &&
                  constants.size(1) == matrices.size(1),
              "expected constants [", matrices.size(0), ", ", matrices.size(1), "], got ",
              constants.sizes());
  return SequenceLinear::apply(x, matrices, constants, offsets.copy());
}

}  // namespace fastformer::nn
