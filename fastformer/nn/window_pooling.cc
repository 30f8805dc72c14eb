#include "fastformer/nn/window_pooling.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <utility>

#include "fastformer/kernels/window_pooling.h"
#include "fastformer/nn/scratch.h"
#include "fastformer/nn/sequence_blocks.h"

namespace fastformer::nn {
namespace {

using kernels::PoolingWindows;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;
using Values = std::vector<std::int64_t>;

// Columns that a thread takes at the least, where heads do not part them: a few cache lines.
constexpr std::int64_t kLeastColumns = 64;

Values window_offsets_of(const Values& offsets, const WindowShape& shape) {
  Values starts = {0};
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    const PoolingWindows windows{offsets[b + 1] - offsets[b], shape.size, shape.step};
    starts.push_back(starts.back() + windows.count());
  }
  return starts;
}

// The sequences of a batch and the windows of each.
struct Layout {
  Layout(const Values& offsets_in, const WindowShape& shape_in, std::int64_t width_in,
         std::int64_t heads_in)
      : offsets(offsets_in),
        starts(window_offsets_of(offsets_in, shape_in)),
        shape(shape_in),
        width(width_in),
        heads(heads_in) {}

  PoolingWindows windows(std::int64_t b) const {
    return {offsets[b + 1] - offsets[b], shape.size, shape.step};
  }

  // body(b, head, first column, columns), spread over the threads; no columns come twice. Where one
  // head has them all, `whole` keeps them together.
  template <class Body>
  void for_each_columns(bool whole, const Body& body) const {
    const bool parted = heads == 1 && !whole;
    const auto pieces = parted ? (width + kLeastColumns - 1) / kLeastColumns : heads;
    const auto piece_width = parted ? kLeastColumns : width / heads;
    const auto units = useful_units(offsets, pieces);
    for_each_unit(offsets, units, [&](std::int64_t b, std::int64_t unit) {
      const auto begin = unit * pieces / units, end = (unit + 1) * pieces / units;
      if (parted) {
        const auto first = begin * piece_width;
        body(b, 0, first, std::min(end * piece_width, width) - first);
        return;
      }
      for (auto head = begin; head < end; ++head) body(b, head, head * piece_width, piece_width);
    });
  }

  Values offsets, starts;
  WindowShape shape;
  std::int64_t width, heads;
};

Layout layout_of(AutogradContext* context, std::int64_t width) {
  const auto& data = context->saved_data;
  return {data.at("offsets").toIntVector(),
          {data.at("size").toInt(), data.at("step").toInt()},
          width,
          data.at("heads").toInt()};
}

void save_layout(AutogradContext* context, const Layout& layout) {
  context->saved_data["offsets"] = layout.offsets;
  context->saved_data["size"] = layout.shape.size;
  context->saved_data["step"] = layout.shape.step;
  context->saved_data["heads"] = layout.heads;
}

class PoolWindows : public Function<PoolWindows> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& x_in,
                               const at::Tensor& weights_in, const Layout& layout) {
    const auto x = x_in.contiguous(), weights = weights_in.contiguous();
    auto pooled = at::empty({layout.starts.back(), layout.width}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pool_windows", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      const auto* weight = weights.const_data_ptr<scalar_t>();
      auto* to = pooled.mutable_data_ptr<scalar_t>();
      const auto stride = layout.heads * layout.shape.size;
      layout.for_each_columns(
          false, [&](std::int64_t b, std::int64_t head, std::int64_t first, std::int64_t columns) {
            kernels::pool_by_weights(layout.windows(b), {columns, layout.width},
                                     rows + layout.offsets[b] * layout.width + first,
                                     weight + layout.starts[b] * stride + head * layout.shape.size,
                                     stride, to + layout.starts[b] * layout.width + first);
          });
    });
    context->save_for_backward({x, weights});
    save_layout(context, layout);
    context->set_materialize_grads(false);
    return {pooled, x_in};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    if (!gradients[0].defined()) return {gradients[1], at::Tensor(), at::Tensor()};
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weights = saved[1];
    const auto layout = layout_of(context, x.size(1));
    const auto gradient = gradients[0].contiguous();
    const bool own =
        gradients[1].defined() && gradients[1].is_contiguous() && gradients[1].use_count() == 1;
    const auto dx = own                      ? gradients[1]
                    : gradients[1].defined() ? gradients[1].clone(at::MemoryFormat::Contiguous)
                                             : at::zeros_like(x);
    at::Tensor dweights;
    if (context->needs_input_grad(1)) dweights = at::zeros_like(weights);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pool_windows_backward", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      const auto* weight = weights.const_data_ptr<scalar_t>();
      const auto* g = gradient.const_data_ptr<scalar_t>();
      auto* out = dx.mutable_data_ptr<scalar_t>();
      auto* out_weights = dweights.defined() ? dweights.mutable_data_ptr<scalar_t>() : nullptr;
      const auto stride = layout.heads * layout.shape.size;
      layout.for_each_columns(dweights.defined(), [&](std::int64_t b, std::int64_t head,
                                                      std::int64_t first, std::int64_t columns) {
        const auto row = layout.offsets[b] * layout.width + first;
        const auto at = layout.starts[b] * stride + head * layout.shape.size;
        kernels::pool_by_weights_backward(layout.windows(b), {columns, layout.width}, rows + row,
                                          weight + at, stride,
                                          g + layout.starts[b] * layout.width + first, out + row,
                                          out_weights == nullptr ? nullptr : out_weights + at);
      });
    });
    return {dx, dweights, at::Tensor()};
  }
};

class PoolWindowMaxima : public Function<PoolWindowMaxima> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in,
                            const Layout& layout) {
    const auto x = x_in.contiguous();
    auto pooled = at::empty({layout.starts.back(), layout.width}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pool_window_maxima", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      auto* to = pooled.mutable_data_ptr<scalar_t>();
      layout.for_each_columns(
          false, [&](std::int64_t b, std::int64_t, std::int64_t first, std::int64_t columns) {
            kernels::pool_maxima(layout.windows(b), {columns, layout.width},
                                 rows + layout.offsets[b] * layout.width + first,
                                 to + layout.starts[b] * layout.width + first);
          });
    });
    context->save_for_backward({x, pooled});
    save_layout(context, layout);
    return pooled;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &pooled = saved[1];
    const auto layout = layout_of(context, x.size(1));
    const auto gradient = gradients[0].contiguous();
    const auto dx = at::zeros_like(x);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pool_window_maxima_backward", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      const auto* highest = pooled.const_data_ptr<scalar_t>();
      const auto* g = gradient.const_data_ptr<scalar_t>();
      auto* out = dx.mutable_data_ptr<scalar_t>();
      layout.for_each_columns(
          false, [&](std::int64_t b, std::int64_t, std::int64_t first, std::int64_t columns) {
            const auto row = layout.offsets[b] * layout.width + first;
            const auto at = layout.starts[b] * layout.width + first;
            kernels::pool_maxima_backward(layout.windows(b), {columns, layout.width}, rows + row,
                                          highest + at, g + at, out + row,
                                          scratch_of<scalar_t>(columns));
          });
    });
    return {dx, at::Tensor()};
  }
};

// body(windows, p, weights [size] of window p) for all windows, on weights that are zero.
template <class Body>
at::Tensor fill_weights(const Offsets& offsets, const WindowShape& shape,
                        const at::TensorOptions& options, const Body& body) {
  const auto starts = window_offsets(offsets, shape);
  const auto weights = at::zeros({starts.back(), shape.size}, options);
  AT_DISPATCH_FLOATING_TYPES(weights.scalar_type(), "fill_weights", [&] {
    auto* to = weights.mutable_data_ptr<scalar_t>();
    for (std::int64_t b = 0; b < offsets.size(); ++b) {
      const PoolingWindows windows{offsets.length(b), shape.size, shape.step};
      for (std::int64_t p = 0; p < windows.count(); ++p, to += shape.size) {
        body(windows.covered(p), to);
      }
    }
  });
  return weights;
}

void check_input(const at::Tensor& x, const Offsets& offsets, const WindowShape& shape) {
  check_rows(x, offsets);
  TORCH_CHECK(shape.size > 0 && shape.step > 0,
              "expected windows of at least one row and step, got ", shape.size, " and ",
              shape.step);
}

}  // namespace

std::vector<std::int64_t> window_offsets(const Offsets& offsets, const WindowShape& shape) {
  return window_offsets_of(offsets.copy(), shape);
}

at::Tensor mean_weights(const Offsets& offsets, const WindowShape& shape,
                        const at::TensorOptions& options) {
  return fill_weights(offsets, shape, options, [](std::int64_t covered, auto* weights) {
    std::fill_n(weights, covered, decltype(*weights + 0){1} / covered);
  });
}

at::Tensor centre_weights(const Offsets& offsets, const WindowShape& shape,
                          const at::TensorOptions& options) {
  return fill_weights(offsets, shape, options, [&](std::int64_t covered, auto* weights) {
    weights[std::min(shape.size / 2, covered - 1)] = 1;
  });
}

PooledWindows pool_windows(const at::Tensor& x, const at::Tensor& weights, std::int64_t heads,
                           const Offsets& offsets, const WindowShape& shape) {
  check_input(x, offsets, shape);
  const Layout layout(offsets.copy(), shape, x.size(1), heads);
  TORCH_CHECK(x.size(1) % heads == 0, "expected a multiple of ", heads, " columns, got ",
              x.size(1));
  TORCH_CHECK(weights.sizes() == at::IntArrayRef({layout.starts.back(), heads * shape.size}),
              "expected weights [", layout.starts.back(), ", ", heads * shape.size, "], got ",
              weights.sizes());
  TORCH_CHECK(weights.scalar_type() == x.scalar_type(), "expected weights of the type ",
              x.scalar_type(), ", got ", weights.scalar_type());
  auto results = PoolWindows::apply(x, weights, layout);
  return {results[0], results[1]};
}

at::Tensor pool_window_maxima(const at::Tensor& x, const Offsets& offsets,
                              const WindowShape& shape) {
  check_input(x, offsets, shape);
  return PoolWindowMaxima::apply(x, Layout(offsets.copy(), shape, x.size(1), 1));
}

}  // namespace fastformer::nn
