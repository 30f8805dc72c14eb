#include "fastformer/nn/layers/cube_convolution.h"

#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "fastformer/kernels/cube_convolution.h"
#include "fastformer/kernels/row_blocks.h"

namespace fastformer::nn {
namespace {

using kernels::CubeShape;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;
using CubeOffsets = std::vector<std::int64_t>;

CubeShape cube_shape(const at::Tensor& x, std::int64_t depth, const at::Tensor& weight) {
  return {.channels = x.size(3),
          .filters = weight.size(0),
          .depth = depth,
          .height = x.size(1),
          .width = x.size(2)};
}

// body(part, first cube, cubes), a part for each thread.
template <class Body>
void for_each_part_of_cubes(std::int64_t cubes, const Body& body) {
  const auto parts = kernels::parts_of(cubes);
  kernels::for_each_block_in_parts(parts, [&](std::int64_t part, std::int64_t) {
    const auto first = cubes * part / parts;
    body(part, first, cubes * (part + 1) / parts - first);
  });
}

template <class Real>
void run_cubes(const CubeShape& shape, const CubeOffsets& offsets, const variable_list& in,
               const at::Tensor& y, const at::Tensor& winners) {
  const auto *x = in[0].const_data_ptr<Real>(), *weight = in[1].const_data_ptr<Real>();
  const auto* bias = in[2].const_data_ptr<Real>();
  auto* out = y.mutable_data_ptr<Real>();
  auto* places = winners.mutable_data_ptr<std::uint8_t>();
  for_each_part_of_cubes(y.size(0), [&](std::int64_t, std::int64_t first, std::int64_t cubes) {
    const auto skipped = first * shape.blocks() * shape.filters;
    kernels::convolve_cubes(
        shape, cubes, offsets.data() + first, x, weight, bias, out + skipped, places + skipped,
        kernels::scratch_of<Real>(kernels::cube_convolution_scratch_size(shape)));
  });
}

// `saved`: x, the weights with the channels last, the winners.
template <class Real>
void run_cubes_backward(const CubeShape& shape, const CubeOffsets& offsets,
                        const variable_list& saved, const at::Tensor& gradient,
                        const at::Tensor& dx, const at::Tensor& dweight, const at::Tensor& dbias) {
  const auto *x = saved[0].const_data_ptr<Real>(), *weight = saved[1].const_data_ptr<Real>();
  const auto* places = saved[2].const_data_ptr<std::uint8_t>();
  const auto* g = gradient.const_data_ptr<Real>();
  auto* out = dx.mutable_data_ptr<Real>();
  const auto cubes_in_all = static_cast<std::int64_t>(offsets.size()) - 1;
  const auto parts = kernels::parts_of(cubes_in_all);
  kernels::PartialSums<Real> weights(parts, dweight.numel(), dweight.mutable_data_ptr<Real>());
  kernels::PartialSums<Real> biases(parts, dbias.numel(), dbias.mutable_data_ptr<Real>());
  for_each_part_of_cubes(
      cubes_in_all, [&](std::int64_t part, std::int64_t first, std::int64_t cubes) {
        const auto skipped = first * shape.blocks() * shape.filters;
        kernels::convolve_cubes_backward(
            shape, cubes, offsets.data() + first, x, weight, places + skipped, g + skipped, out,
            weights.of(part), biases.of(part),
            kernels::scratch_of<Real>(kernels::cube_convolution_scratch_size(shape)));
      });
  weights.add_up();
  biases.add_up();
}

class ConvolveCubes : public Function<ConvolveCubes> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in,
                            const at::Tensor& weight_in, const at::Tensor& bias,
                            const CubeOffsets& offsets, std::int64_t depth) {
    const auto x = x_in.contiguous();
    const auto weight = weight_in.permute({0, 2, 3, 4, 1}).contiguous();
    const auto shape = cube_shape(x, depth, weight);
    const auto cubes = static_cast<std::int64_t>(offsets.size()) - 1;
    auto y = at::empty({cubes, CubeShape::blocks_of(depth), CubeShape::blocks_of(shape.height),
                        CubeShape::blocks_of(shape.width), shape.filters},
                       x.options());
    const auto winners = at::empty(y.sizes(), x.options().dtype(at::kByte));
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "convolve_cubes", [&] {
      run_cubes<scalar_t>(shape, offsets, {x, weight, bias.contiguous()}, y, winners);
    });
    context->save_for_backward({x, weight, winners});
    context->saved_data["offsets"] = offsets;
    context->saved_data["depth"] = depth;
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1];
    const auto shape = cube_shape(x, context->saved_data["depth"].toInt(), weight);
    const auto dx = at::empty_like(x), dweight = at::empty_like(weight);
    const auto dbias = at::empty({shape.filters}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "convolve_cubes_backward", [&] {
      run_cubes_backward<scalar_t>(shape, context->saved_data["offsets"].toIntVector(), saved,
                                   gradients[0].contiguous(), dx, dweight, dbias);
    });
    return {dx, dweight.permute({0, 4, 1, 2, 3}), dbias, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor convolve_cubes(const at::Tensor& x, const Offsets& offsets, std::int64_t depth,
                          const at::Tensor& weight, const at::Tensor& bias) {
  TORCH_CHECK(x.dim() == 4 && x.size(0) == offsets.total(), "expected slices [", offsets.total(),
              ", height, width, channels], got ", x.sizes());
  TORCH_CHECK(weight.dim() == 5 && weight.sizes().slice(1) == at::IntArrayRef({x.size(3), 3, 3, 3}),
              "expected weights [filters, ", x.size(3), ", 3, 3, 3], got ", weight.sizes());
  TORCH_CHECK(bias.sizes() == at::IntArrayRef({weight.size(0)}), "expected ", weight.size(0),
              " biases, got ", bias.sizes());
  TORCH_CHECK(weight.scalar_type() == x.scalar_type() && bias.scalar_type() == x.scalar_type(),
              "expected weights and biases of the type ", x.scalar_type(), ", got ",
              weight.scalar_type(), " and ", bias.scalar_type());
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    TORCH_CHECK(offsets.length(b) <= depth, "expected cubes of at most ", depth,
                " slices, got one of ", offsets.length(b));
  }
  return ConvolveCubes::apply(x, weight, bias, offsets.copy(), depth);
}

}  // namespace fastformer::nn
