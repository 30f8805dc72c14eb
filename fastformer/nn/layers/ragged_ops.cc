#include "fastformer/nn/layers/ragged_ops.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "fastformer/kernels/row_blocks.h"

namespace fastformer::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

class ExpandRows : public Function<ExpandRows> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& vectors_in,
                            const std::vector<std::int64_t>& offsets) {
    const auto vectors = vectors_in.contiguous();
    const std::int64_t width = vectors.size(1);
    auto rows = at::empty({offsets.back(), width}, vectors.options());
    AT_DISPATCH_FLOATING_TYPES(vectors.scalar_type(), "expand_rows", [&] {
      const auto* from = vectors.const_data_ptr<scalar_t>();
      auto* to = rows.mutable_data_ptr<scalar_t>();
      kernels::for_each_sequence(offsets, [&](std::int64_t b, std::int64_t first, std::int64_t n) {
        for (std::int64_t i = first; i < first + n; ++i) {
          std::copy_n(from + b * width, width, to + i * width);
        }
      });
    });
    context->saved_data["offsets"] = offsets;
    return rows;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto offsets = context->saved_data["offsets"].toIntVector();
    const auto gradient = gradients[0].contiguous();
    const std::int64_t width = gradient.size(1);
    auto sums =
        at::zeros({static_cast<std::int64_t>(offsets.size()) - 1, width}, gradient.options());
    AT_DISPATCH_FLOATING_TYPES(gradient.scalar_type(), "expand_rows_backward", [&] {
      const auto* from = gradient.const_data_ptr<scalar_t>();
      auto* to = sums.mutable_data_ptr<scalar_t>();
      kernels::for_each_sequence(offsets, [&](std::int64_t b, std::int64_t first, std::int64_t n) {
        for (std::int64_t i = first; i < first + n; ++i) {
          for (std::int64_t c = 0; c < width; ++c) to[b * width + c] += from[i * width + c];
        }
      });
    });
    return {sums, at::Tensor()};
  }
};

}  // namespace

at::Tensor expand_rows(const at::Tensor& vectors, const Offsets& offsets) {
  TORCH_CHECK(vectors.dim() == 2 && vectors.size(0) == offsets.size(), "expected vectors [",
              offsets.size(), ", d], got ", vectors.sizes());
  return ExpandRows::apply(vectors, offsets.copy());
}

at::Tensor first_rows(const Offsets& offsets) {
  std::vector<std::int64_t> rows;
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    if (offsets.length(b) > 0) rows.push_back(offsets.begin_of(b));
  }
  return at::tensor(rows, at::kLong);
}

at::Tensor previous_rows(const at::Tensor& x, const Offsets& offsets) {
  check_rows(x, offsets);
  if (x.size(0) == 0) return x;
  const auto shifted = at::cat({x.narrow(0, 0, 1), x.narrow(0, 0, x.size(0) - 1)});
  return shifted.index_fill_(0, first_rows(offsets), 0);
}

}  // namespace fastformer::nn
