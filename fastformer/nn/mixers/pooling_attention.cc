#include "fastformer/nn/mixers/pooling_attention.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "fastformer/kernels/row_blocks.h"
#include "fastformer/kernels/window_reduction.h"
#include "fastformer/nn/mixers/row_attention.h"

namespace fastformer::nn {

namespace {

using kernels::RowWindows;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;
using WindowOffsets = std::vector<std::int64_t>;

// Smallest number of columns per thread, if heads do not split them: a few cache lines.
constexpr std::int64_t kLeastWindowColumns = 64;

WindowOffsets window_offsets_of(const WindowOffsets& offsets, const WindowShape& shape) {
  WindowOffsets starts = {0};
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    const RowWindows windows{offsets[b + 1] - offsets[b], shape.size, shape.step};
    starts.push_back(starts.back() + windows.count());
  }
  return starts;
}

// The sequences of a batch and the windows of each.
struct WindowLayout {
  WindowLayout(const WindowOffsets& offsets_in, const WindowShape& shape_in, std::int64_t width_in,
               std::int64_t heads_in)
      : offsets(offsets_in),
        starts(window_offsets_of(offsets_in, shape_in)),
        shape(shape_in),
        width(width_in),
        heads(heads_in) {}

  RowWindows windows(std::int64_t b) const {
    return {offsets[b + 1] - offsets[b], shape.size, shape.step};
  }

  // body(b, head, first column, columns), spread over the threads; without overlapping columns. If
  // one head has all columns, `whole` keeps them together.
  template <class Body>
  void for_each_columns(bool whole, const Body& body) const {
    const bool parted = heads == 1 && !whole;
    const auto pieces = parted ? (width + kLeastWindowColumns - 1) / kLeastWindowColumns : heads;
    const auto piece_width = parted ? kLeastWindowColumns : width / heads;
    const auto units = kernels::useful_units(offsets, pieces);
    kernels::for_each_unit(offsets, units, [&](std::int64_t b, std::int64_t unit) {
      const auto begin = unit * pieces / units, end = (unit + 1) * pieces / units;
      if (parted) {
        const auto first = begin * piece_width;
        body(b, 0, first, std::min(end * piece_width, width) - first);
        return;
      }
      for (auto head = begin; head < end; ++head) body(b, head, head * piece_width, piece_width);
    });
  }

  WindowOffsets offsets, starts;
  WindowShape shape;
  std::int64_t width, heads;
};

WindowLayout window_layout_of(AutogradContext* context, std::int64_t width) {
  const auto& data = context->saved_data;
  return {data.at("offsets").toIntVector(),
          {data.at("size").toInt(), data.at("step").toInt()},
          width,
          data.at("heads").toInt()};
}

void save_window_layout(AutogradContext* context, const WindowLayout& layout) {
  context->saved_data["offsets"] = layout.offsets;
  context->saved_data["size"] = layout.shape.size;
  context->saved_data["step"] = layout.shape.step;
  context->saved_data["heads"] = layout.heads;
}

class WindowSumsFunction : public Function<WindowSumsFunction> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& x_in,
                               const at::Tensor& weights_in, const WindowLayout& layout) {
    const auto x = x_in.contiguous(), weights = weights_in.contiguous();
    auto reduced = at::empty({layout.starts.back(), layout.width}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "window_sums", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      const auto* weight = weights.const_data_ptr<scalar_t>();
      auto* to = reduced.mutable_data_ptr<scalar_t>();
      const auto stride = layout.heads * layout.shape.size;
      layout.for_each_columns(
          false, [&](std::int64_t b, std::int64_t head, std::int64_t first, std::int64_t columns) {
            kernels::window_sums(layout.windows(b), {columns, layout.width},
                                 rows + layout.offsets[b] * layout.width + first,
                                 weight + layout.starts[b] * stride + head * layout.shape.size,
                                 stride, to + layout.starts[b] * layout.width + first);
          });
    });
    context->save_for_backward({x, weights});
    save_window_layout(context, layout);
    context->set_materialize_grads(false);
    return {reduced, x_in};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    if (!gradients[0].defined()) return {gradients[1], at::Tensor(), at::Tensor()};
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weights = saved[1];
    const auto layout = window_layout_of(context, x.size(1));
    const auto gradient = gradients[0].contiguous();
    const bool own =
        gradients[1].defined() && gradients[1].is_contiguous() && gradients[1].use_count() == 1;
    const auto dx = own                      ? gradients[1]
                    : gradients[1].defined() ? gradients[1].clone(at::MemoryFormat::Contiguous)
                                             : at::zeros_like(x);
    at::Tensor dweights;
    if (context->needs_input_grad(1)) dweights = at::zeros_like(weights);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "window_sums_backward", [&] {
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
        kernels::window_sums_backward(layout.windows(b), {columns, layout.width}, rows + row,
                                      weight + at, stride,
                                      g + layout.starts[b] * layout.width + first, out + row,
                                      out_weights == nullptr ? nullptr : out_weights + at);
      });
    });
    return {dx, dweights, at::Tensor()};
  }
};

class WindowMaximaFunction : public Function<WindowMaximaFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in,
                            const WindowLayout& layout) {
    const auto x = x_in.contiguous();
    auto reduced = at::empty({layout.starts.back(), layout.width}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "window_maxima", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      auto* to = reduced.mutable_data_ptr<scalar_t>();
      layout.for_each_columns(
          false, [&](std::int64_t b, std::int64_t, std::int64_t first, std::int64_t columns) {
            kernels::window_maxima(layout.windows(b), {columns, layout.width},
                                   rows + layout.offsets[b] * layout.width + first,
                                   to + layout.starts[b] * layout.width + first);
          });
    });
    context->save_for_backward({x, reduced});
    save_window_layout(context, layout);
    return reduced;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &reduced = saved[1];
    const auto layout = window_layout_of(context, x.size(1));
    const auto gradient = gradients[0].contiguous();
    const auto dx = at::zeros_like(x);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "window_maxima_backward", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      const auto* highest = reduced.const_data_ptr<scalar_t>();
      const auto* g = gradient.const_data_ptr<scalar_t>();
      auto* out = dx.mutable_data_ptr<scalar_t>();
      layout.for_each_columns(
          false, [&](std::int64_t b, std::int64_t, std::int64_t first, std::int64_t columns) {
            const auto row = layout.offsets[b] * layout.width + first;
            const auto at = layout.starts[b] * layout.width + first;
            kernels::window_maxima_backward(layout.windows(b), {columns, layout.width}, rows + row,
                                            highest + at, g + at, out + row,
                                            kernels::scratch_of<scalar_t>(columns));
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
      const RowWindows windows{offsets.length(b), shape.size, shape.step};
      for (std::int64_t p = 0; p < windows.count(); ++p, to += shape.size) {
        body(windows.covered(p), to);
      }
    }
  });
  return weights;
}

void check_windowed(const at::Tensor& x, const Offsets& offsets, const WindowShape& shape) {
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

WindowSums window_sums(const at::Tensor& x, const at::Tensor& weights, std::int64_t heads,
                       const Offsets& offsets, const WindowShape& shape) {
  check_windowed(x, offsets, shape);
  const WindowLayout layout(offsets.copy(), shape, x.size(1), heads);
  TORCH_CHECK(x.size(1) % heads == 0, "expected a multiple of ", heads, " columns, got ",
              x.size(1));
  TORCH_CHECK(weights.sizes() == at::IntArrayRef({layout.starts.back(), heads * shape.size}),
              "expected weights [", layout.starts.back(), ", ", heads * shape.size, "], got ",
              weights.sizes());
  TORCH_CHECK(weights.scalar_type() == x.scalar_type(), "expected weights of the type ",
              x.scalar_type(), ", got ", weights.scalar_type());
  auto results = WindowSumsFunction::apply(x, weights, layout);
  return {results[0], results[1]};
}

at::Tensor window_maxima(const at::Tensor& x, const Offsets& offsets, const WindowShape& shape) {
  check_windowed(x, offsets, shape);
  return WindowMaximaFunction::apply(x, WindowLayout(offsets.copy(), shape, x.size(1), 1));
}

void PoolingFields::visit_fields(base::FieldVisitor& visit) {
  visit("window", window, "window: number of neighbouring tokens to attend to, half on each side",
        base::between(0, 1 << 20));
  visit("pooled_window", pooled_window,
        "second window, over pooled keys: number of neighbouring tokens, half on each side",
        base::between(0, 1 << 20));
  visit("kernel", kernel, "number of tokens that are pooled into one", base::between(1, 65536));
  visit("stride", stride, "step between pools, in tokens", base::between(1, 65536));
  visit("pooling", pooling, "pooling of keys and values");
  visit("residual", residual, "add the output of the first level to that of the second");
}

PoolingAttention::PoolingAttention(const model::MixerShape& shape, const PoolingFields& fields,
                                   ParameterStore& store, const std::string& name)
    : heads_(shape.heads),
      reach_(fields.window / 2),
      pooled_reach_(fields.pooled_window / 2),
      windows_{fields.kernel, fields.stride},
      kind_(fields.pooling),
      residual_(fields.residual) {
  const auto width = shape.width;
  const auto layer = [&](const char* parameter) {
    return Linear(store, name + "." + parameter, width, width);
  };
  query_ = layer("query");
  key_ = layer("key");
  value_ = layer("value");
  pooled_query_ = layer("pooled_query");
  pooled_key_ = layer("pooled_key");
  pooled_value_ = layer("pooled_value");
  if (kind_ == PoolingKind::kDynamic) {
    dynamic_ = Linear(store, name + ".dynamic", width, heads_ * windows_.size);
  }
  if (shape.output_projection) output_ = layer("output");
}

PoolingAttention::SecondLevel PoolingAttention::pool_means(const at::Tensor& rows,
                                                           const Offsets& offsets) const {
  const auto weights = mean_weights(offsets, windows_, rows.options());
  const auto means = window_sums(rows, weights, 1, offsets, windows_);
  const auto parts = project(means.rows, {pooled_key_, pooled_value_});
  return {pooled_query_.forward(means.input), parts[0], parts[1], means.input};
}

PoolingAttention::SecondLevel PoolingAttention::pool_dynamically(const at::Tensor& rows,
                                                                 const Offsets& offsets) const {
  const auto centre = centre_weights(offsets, windows_, rows.options());
  const auto centres = window_sums(rows, centre, 1, offsets, windows_);
  // The softmax skips positions past the end, to which the mean gives no weight.
  const auto outside = (mean_weights(offsets, windows_, rows.options()) == 0).unsqueeze(1);
  const auto logits = dynamic_.forward(centres.rows).view({-1, heads_, windows_.size});
  const auto weights =
      at::softmax(logits.masked_fill(outside, -std::numeric_limits<double>::infinity()), 2);
  const auto by_window = weights.reshape({-1, heads_ * windows_.size});
  const auto parts = project(centres.input, {pooled_query_, pooled_key_, pooled_value_});
  const auto pool_part = [&](const at::Tensor& part) {
    return window_sums(part, by_window, heads_, offsets, windows_).rows;
  };
  return {parts[0], pool_part(parts[1]), pool_part(parts[2]), centres.input};
}

PoolingAttention::SecondLevel PoolingAttention::pool(const at::Tensor& rows,
                                                     const Offsets& offsets) const {
  if (kind_ == PoolingKind::kMean) return pool_means(rows, offsets);
  if (kind_ == PoolingKind::kDynamic) return pool_dynamically(rows, offsets);
  const auto parts = project(rows, {pooled_query_, pooled_key_, pooled_value_});
  return {parts[0], window_maxima(parts[1], offsets, windows_),
          window_maxima(parts[2], offsets, windows_), rows};
}

at::Tensor PoolingAttention::forward(const at::Tensor& x, const Offsets& offsets,
                                     MixerTrace* /*trace*/) const {
  check_rows(x, offsets);
  const auto parts = project(x, {query_, key_, value_});
  const auto rows = attend_rows(parts[0], parts[1], parts[2], heads_, offsets, offsets,
                                {.behind = reach_, .ahead = reach_});
  const auto pooled = pool(rows, offsets);
  const auto starts = window_offsets(offsets, windows_);
  auto y = attend_rows(pooled.query, pooled.key, pooled.value, heads_, offsets, Offsets(starts),
                       {.behind = pooled_reach_, .ahead = pooled_reach_, .step = windows_.step});
  if (residual_) y = y + pooled.input;
  return output_ ? output_.forward(y) : y;
}

double PoolingAttention::multiply_adds(std::int64_t tokens) const {
  const auto n = static_cast<double>(tokens), d = static_cast<double>(query_.weight.size(0));
  const auto step = static_cast<double>(windows_.step);
  const double near = std::min(n, 2.0 * static_cast<double>(reach_) + 1);
  const double pooled = std::min(n, 2.0 * static_cast<double>(pooled_reach_) + 1) / step;
  const double pooled_layers = kind_ == PoolingKind::kMean ? 2 / step : 2;
  const double projections = 4 + pooled_layers + (output_ ? 1 : 0);
  return n * d * (projections * d + 2 * near + 2 * pooled);
}

}  // namespace fastformer::nn
