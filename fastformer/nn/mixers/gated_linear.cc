#include "fastformer/nn/mixers/gated_linear.h"

#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <span>
#include <utility>
#include <vector>

#include "fastformer/kernels/row_blocks.h"
#include "fastformer/nn/parallel_gemm.h"

namespace fastformer::nn {
namespace {

using kernels::Operands;
using kernels::Transpose;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr auto kNo = Transpose::kNo, kYes = Transpose::kYes;

// The arguments in memory, and the precision of products.
template <class Real>
struct GatedArguments {
  std::int64_t in, middle, out;
  const Real *x, *inner, *outer, *direct, *gates, *constants;
  std::span<const std::int64_t> offsets;
  Operands operands;

  const Real* rows(std::int64_t first) const { return x + first * in; }
  const Real* gate(std::int64_t sequence) const { return gates + sequence * middle; }
  const Real* constant(std::int64_t sequence) const { return constants + sequence * out; }
};

template <class Real>
GatedArguments<Real> gated_arguments(const variable_list& tensors,
                                     std::span<const std::int64_t> offsets, Operands operands) {
  const auto data = [&](int i) { return tensors[i].const_data_ptr<Real>(); };
  return {tensors[0].size(1),
          tensors[1].size(0),
          tensors[2].size(0),
          data(0),
          data(1),
          data(2),
          data(3),
          data(4),
          data(5),
          offsets,
          operands};
}

// Short sequences, joined to blocks of about equal numbers of rows, and long sequences.
struct GatedPlan {
  std::vector<std::pair<std::int64_t, std::int64_t>> blocks;  // first and last + 1
  std::vector<std::int64_t> merged;
};

GatedPlan gated_plan(std::span<const std::int64_t> offsets, std::int64_t least_merged) {
  GatedPlan plan;
  const auto count = static_cast<std::int64_t>(offsets.size()) - 1;
  const auto length = [&](std::int64_t b) { return offsets[b + 1] - offsets[b]; };
  std::int64_t total = 0;
  for (std::int64_t b = 0; b < count; ++b) total += length(b) < least_merged ? length(b) : 0;
  const auto blocks = kernels::row_blocks(total);
  std::int64_t rows = 0, first = 0, closed = 0;  // rows so far; begin and number of this block
  for (std::int64_t b = 0; b < count; ++b) {
    const bool merged = length(b) >= least_merged;
    const auto end = merged ? b : b + 1;
    if (!merged) rows += length(b);
    const bool full = rows * blocks >= total * (closed + 1);
    if (end > first && (merged || full || b + 1 == count)) {
      plan.blocks.emplace_back(first, end);
      first = end;
      while (closed < blocks && rows * blocks >= total * (closed + 1)) ++closed;
    }
    if (merged) {
      plan.merged.push_back(b);
      first = b + 1;
    }
  }
  return plan;
}

// The rows of a short block in the order of their sequences: body(sequence, row within the block).
template <class Body>
void for_each_row(std::span<const std::int64_t> offsets,
                  std::pair<std::int64_t, std::int64_t> block, const Body& body) {
  std::int64_t row = 0;
  for (auto b = block.first; b < block.second; ++b) {
    for (auto n = offsets[b + 1] - offsets[b]; n > 0; --n) body(b, row++);
  }
}

template <class Real>
void multiply_into(const Real* gate, std::int64_t width, const Real* from, Real* to) {
  for (std::int64_t c = 0; c < width; ++c) to[c] = gate[c] * from[c];
}

// out [n, e], the rows of the block alone
template <class Real>
void short_forward(const GatedArguments<Real>& a, std::pair<std::int64_t, std::int64_t> block,
                   Real* out) {
  const auto first = a.offsets[block.first], n = a.offsets[block.second] - first;
  auto* hidden = kernels::scratch_of<Real>(n * a.middle);
  kernels::gemm(kNo, kYes, n, a.middle, a.in, a.rows(first), a.in, a.inner, a.in, {}, hidden,
                a.middle, a.operands);
  for_each_row(a.offsets, block, [&](std::int64_t b, std::int64_t row) {
    auto* h = hidden + row * a.middle;
    multiply_into(a.gate(b), a.middle, h, h);
    std::copy_n(a.constant(b), a.out, out + row * a.out);
  });
  kernels::gemm(kNo, kYes, n, a.out, a.middle, hidden, a.middle, a.outer, a.middle, {.keep = true},
                out, a.out, a.operands);
  kernels::gemm(kNo, kYes, n, a.out, a.in, a.rows(first), a.in, a.direct, a.in, {.keep = true}, out,
                a.out, a.operands);
}

// GatedGradients of the arguments; those of the matrices are sums over the parts of the work.
template <class Real>
struct GatedGradients {
  Real *x, *gates, *constants;
  kernels::PartialSums<Real> inner, outer, direct;
};

template <class Real>
void short_backward(const GatedArguments<Real>& a, std::pair<std::int64_t, std::int64_t> block,
                    const Real* gradient, std::int64_t part, GatedGradients<Real>& out) {
  const auto first = a.offsets[block.first], n = a.offsets[block.second] - first;
  auto *hidden = kernels::scratch_of<Real>(2 * n * a.middle), *slope = hidden + n * a.middle;
  const auto *g = gradient + first * a.out, *x = a.rows(first);
  kernels::gemm(kNo, kYes, n, a.middle, a.in, x, a.in, a.inner, a.in, {}, hidden, a.middle,
                a.operands);
  kernels::gemm(kNo, kNo, n, a.middle, a.out, g, a.out, a.outer, a.middle, {}, slope, a.middle,
                a.operands);
  for_each_row(a.offsets, block, [&](std::int64_t b, std::int64_t row) {
    auto *h = hidden + row * a.middle, *s = slope + row * a.middle;
    const auto* gate = a.gate(b);
    auto* dgate = out.gates + b * a.middle;
    for (std::int64_t c = 0; c < a.middle; ++c) {
      dgate[c] += s[c] * h[c];
      h[c] *= gate[c];
      s[c] *= gate[c];
    }
    auto* dconstant = out.constants + b * a.out;
    for (std::int64_t c = 0; c < a.out; ++c) dconstant[c] += g[row * a.out + c];
  });
  auto* dx = out.x + first * a.in;
  kernels::gemm(kNo, kNo, n, a.in, a.out, g, a.out, a.direct, a.in, {}, dx, a.in, a.operands);
  kernels::gemm(kNo, kNo, n, a.in, a.middle, slope, a.middle, a.inner, a.in, {.keep = true}, dx,
                a.in, a.operands);
  kernels::gemm(kYes, kNo, a.out, a.middle, n, g, a.out, hidden, a.middle, {.keep = true},
                out.outer.of(part), a.middle, a.operands);
  kernels::gemm(kYes, kNo, a.middle, a.in, n, slope, a.middle, x, a.in, {.keep = true},
                out.inner.of(part), a.in, a.operands);
  kernels::gemm(kYes, kNo, a.out, a.in, n, g, a.out, x, a.in, {.keep = true}, out.direct.of(part),
                a.in, a.operands);
}

// scaled [e, m] = outer diag(gate) and matrix [e, d] = scaled inner + direct: in fp32 or better,
// rounded at most once, as they enter the product with the rows.
template <class Real>
void compose(const GatedArguments<Real>& a, std::int64_t b, Real* scaled, Real* matrix) {
  for (std::int64_t i = 0; i < a.out; ++i) {
    multiply_into(a.gate(b), a.middle, a.outer + i * a.middle, scaled + i * a.middle);
  }
  std::copy_n(a.direct, a.out * a.in, matrix);
  kernels::gemm(kNo, kNo, a.out, a.in, a.middle, scaled, a.middle, a.inner, a.in, {.keep = true},
                matrix, a.in);
}

template <class Real>
void merged_forward(const GatedArguments<Real>& a, std::int64_t b, Real* y) {
  auto *scaled = kernels::scratch_of<Real>(a.out * (a.middle + a.in)),
       *matrix = scaled + a.out * a.middle;
  compose(a, b, scaled, matrix);
  const auto first = a.offsets[b], n = a.offsets[b + 1] - first;
  gemm_by_rows<Real>(kYes, n, a.out, a.in, a.rows(first), matrix, a.in, {.row = a.constant(b)},
                     y + first * a.out, a.operands);
}

template <class Real>
void merged_backward(const GatedArguments<Real>& a, std::int64_t b, const Real* gradient,
                     std::int64_t part, GatedGradients<Real>& out) {
  auto* scaled = kernels::scratch_of<Real>(a.out * 2 * (a.middle + a.in));
  auto *matrix = scaled + a.out * a.middle, *dmatrix = matrix + a.out * a.in;
  auto* product = dmatrix + a.out * a.in;  // dM inner^T
  compose(a, b, scaled, matrix);
  const auto first = a.offsets[b], n = a.offsets[b + 1] - first;
  const auto *g = gradient + first * a.out, *x = a.rows(first);
  gemm_by_rows<Real>(kNo, n, a.in, a.out, g, matrix, a.in, {}, out.x + first * a.in, a.operands);
  gemm_by_depth(a.out, a.in, n, g, x, dmatrix, a.operands);
  kernels::column_sums(g, n, a.out, out.constants + b * a.out);

  kernels::gemm(kYes, kNo, a.middle, a.in, a.out, scaled, a.middle, dmatrix, a.in, {.keep = true},
                out.inner.of(part), a.in);
  kernels::gemm(kNo, kYes, a.out, a.middle, a.in, dmatrix, a.in, a.inner, a.in, {}, product,
                a.middle);
  auto *douter = out.outer.of(part), *ddirect = out.direct.of(part);
  auto* dgate = out.gates + b * a.middle;
  for (std::int64_t i = 0; i < a.out; ++i) {
    const auto *p = product + i * a.middle, *outer = a.outer + i * a.middle, *gate = a.gate(b);
    for (std::int64_t c = 0; c < a.middle; ++c) {
      douter[i * a.middle + c] += p[c] * gate[c];
      dgate[c] += p[c] * outer[c];
    }
  }
  for (std::int64_t i = 0; i < a.out * a.in; ++i) ddirect[i] += dmatrix[i];
}

// body(part, sequence): one thread per sequence if there are many long sequences, else one after
// another with all threads in each product.
template <class Body>
void for_each_merged(const std::vector<std::int64_t>& sequences, const Body& body) {
  const auto count = static_cast<std::int64_t>(sequences.size());
  if (count < 2 * kernels::thread_count()) {
    for (const auto b : sequences) body(0, b);
    return;
  }
  kernels::for_each_block_in_parts(
      count, [&](std::int64_t part, std::int64_t i) { body(part, sequences[i]); });
}

class GatedLinearFunction : public Function<GatedLinearFunction> {
 public:
  // tensors: x, inner, outer, direct, gates, constants
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& inner,
                            const at::Tensor& outer, const at::Tensor& direct,
                            const at::Tensor& gates, const at::Tensor& constants,
                            const std::vector<std::int64_t>& offsets, std::int64_t least_merged) {
    const variable_list tensors = {x, inner, outer, direct, gates, constants};
    const auto operands = kernels::token_operands();
    const auto plan = gated_plan(offsets, least_merged);
    auto y = at::empty({x.size(0), outer.size(0)}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "gated_linear", [&] {
      const auto arguments = gated_arguments<scalar_t>(tensors, offsets, operands);
      auto* out = y.mutable_data_ptr<scalar_t>();
      kernels::for_each_block_in_parts(
          static_cast<std::int64_t>(plan.blocks.size()), [&](std::int64_t, std::int64_t i) {
            const auto first = offsets[plan.blocks[i].first];
            short_forward(arguments, plan.blocks[i], out + first * arguments.out);
          });
      for_each_merged(plan.merged,
                      [&](std::int64_t, std::int64_t b) { merged_forward(arguments, b, out); });
    });
    context->save_for_backward(tensors);
    context->saved_data["offsets"] = offsets;
    context->saved_data["least_merged"] = least_merged;
    context->saved_data["rounding"] = static_cast<std::int64_t>(operands);
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& incoming) {
    const auto saved = context->get_saved_variables();
    const auto offsets = context->saved_data["offsets"].toIntVector();
    const auto operands = static_cast<Operands>(context->saved_data["rounding"].toInt());
    const auto plan = gated_plan(offsets, context->saved_data["least_merged"].toInt());
    const auto gradient = incoming[0].contiguous();
    variable_list d = {at::empty_like(saved[0]),
                       at::empty_like(saved[1]),
                       at::empty_like(saved[2]),
                       at::empty_like(saved[3]),
                       at::zeros_like(saved[4]),
                       at::zeros_like(saved[5]),
                       at::Tensor(),
                       at::Tensor()};
    AT_DISPATCH_FLOATING_TYPES(gradient.scalar_type(), "gated_linear_backward", [&] {
      const auto arguments = gated_arguments<scalar_t>(saved, offsets, operands);
      const auto* g = gradient.const_data_ptr<scalar_t>();
      const auto parts = kernels::thread_count();
      const auto data = [&](int i) { return d[i].mutable_data_ptr<scalar_t>(); };
      const auto sums = [&](int i) {
        return kernels::PartialSums<scalar_t>(parts, d[i].numel(), data(i));
      };
      GatedGradients<scalar_t> out{data(0), data(4), data(5), sums(1), sums(2), sums(3)};
      kernels::for_each_block_in_parts(static_cast<std::int64_t>(plan.blocks.size()),
                                       [&](std::int64_t part, std::int64_t i) {
                                         short_backward(arguments, plan.blocks[i], g, part, out);
                                       });
      for_each_merged(plan.merged, [&](std::int64_t part, std::int64_t b) {
        merged_backward(arguments, b, g, part, out);
      });
      for (auto* sum : {&out.inner, &out.outer, &out.direct}) sum->add_up();
    });
    return d;
  }
};

// x, inner, outer, direct, gates, constants, contiguous in memory.
variable_list checked_gated(const at::Tensor& x, const GatedWeights& weights,
                            const at::Tensor& gates, const at::Tensor& constants,
                            const Offsets& offsets) {
  check_rows(x, offsets);
  const auto in = x.size(1), middle = weights.inner.size(0), out = weights.outer.size(0);
  const auto check = [&](const char* name, const at::Tensor& tensor, std::int64_t rows,
                         std::int64_t columns) {
    TORCH_CHECK(tensor.sizes() == at::IntArrayRef({rows, columns}) &&
                    tensor.scalar_type() == x.scalar_type(),
                "expected ", name, " [", rows, ", ", columns, "] of the type ", x.scalar_type(),
                ", got ", tensor.sizes(), " of the type ", tensor.scalar_type());
    return tensor.contiguous();
  };
  return {x.contiguous(),
          check("inner", weights.inner, middle, in),
          check("outer", weights.outer, out, middle),
          check("direct", weights.direct, out, in),
          check("gates", gates, offsets.size(), middle),
          check("constants", constants, offsets.size(), out)};
}

template <class Real>
void stream_gated(const variable_list& tensors, const Offsets& offsets, std::int64_t least_merged,
                  const RowSink& sink) {
  const auto a = gated_arguments<Real>(tensors, offsets.values(), kernels::token_operands());
  const auto plan = gated_plan(offsets.values(), least_merged);
  const auto options = tensors[0].options();
  kernels::for_each_block_in_parts(
      static_cast<std::int64_t>(plan.blocks.size()), [&](std::int64_t, std::int64_t i) {
        const c10::InferenceMode inference;
        const auto [first, last] = plan.blocks[i];
        const auto y = at::empty({a.offsets[last] - a.offsets[first], a.out}, options);
        short_forward(a, plan.blocks[i], y.template mutable_data_ptr<Real>());
        sink(a.offsets[first], y);
      });
  for_each_merged(plan.merged, [&](std::int64_t, std::int64_t b) {
    const c10::InferenceMode inference;
    const auto scaled = at::empty({a.out, a.middle}, options);
    const auto matrix = at::empty({a.out, a.in}, options);
    auto* m = matrix.template mutable_data_ptr<Real>();
    compose(a, b, scaled.template mutable_data_ptr<Real>(), m);
    kernels::for_each_row_block(offsets.length(b), [&](std::int64_t, std::int64_t row,
                                                       std::int64_t n) {
      const c10::InferenceMode on_this_thread;
      const auto first = a.offsets[b] + row;
      const auto y = at::empty({n, a.out}, options);
      kernels::gemm(kNo, kYes, n, a.out, a.in, a.rows(first), a.in, m, a.in, {.row = a.constant(b)},
                    y.template mutable_data_ptr<Real>(), a.out, a.operands);
      sink(first, y);
    });
  });
}

}  // namespace

at::Tensor gated_linear(const at::Tensor& x, const GatedWeights& weights, const at::Tensor& gates,
                        const at::Tensor& constants, const Offsets& offsets,
                        std::int64_t least_merged) {
  const auto t = checked_gated(x, weights, gates, constants, offsets);
  return GatedLinearFunction::apply(t[0], t[1], t[2], t[3], t[4], t[5], offsets.copy(),
                                    least_merged);
}

void stream_gated_linear(const at::Tensor& x, const GatedWeights& weights, const at::Tensor& gates,
                         const at::Tensor& constants, const Offsets& offsets,
                         std::int64_t least_merged, const RowSink& sink) {
  const auto tensors = checked_gated(x, weights, gates, constants, offsets);
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "stream_gated_linear",
                             [&] { stream_gated<scalar_t>(tensors, offsets, least_merged, sink); });
}

}  // namespace fastformer::nn
