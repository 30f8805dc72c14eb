#include "fastformer/nn/length_projection.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "fastformer/kernels/gemm.h"
#include "fastformer/nn/precision.h"
#include "fastformer/nn/scratch.h"
#include "fastformer/nn/sequence_blocks.h"

namespace fastformer::nn {
namespace {

using kernels::Transpose;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Columns that a thread takes at a time: few enough that a long sequence gives work to several
// threads, and enough that packing their rows pays.
constexpr std::int64_t kColumns = 64;
// Rows of which a thread takes the gradient of the projections at a time.
constexpr std::int64_t kGradientRows = 512;

// x [T, c] and projections [s, g, k, L].
struct Sizes {
  Sizes(const at::Tensor& x, const at::Tensor& projections, std::int64_t count)
      : columns(x.size(1)),
        sets(projections.size(0)),
        groups(projections.size(1)),
        rank(projections.size(2)),
        length(projections.size(3)),
        sequences(count) {}
  std::int64_t group_columns() const { return columns / groups; }
  std::int64_t blocks_of_group() const { return (group_columns() + kColumns - 1) / kColumns; }
  std::int64_t blocks() const { return groups * blocks_of_group(); }
  // Where the rows of a sequence begin in [s, B, k, c].
  std::int64_t projected(std::int64_t set, std::int64_t sequence) const {
    return (set * sequences + sequence) * rank * columns;
  }

  std::int64_t columns, sets, groups, rank, length, sequences;
};

// Some columns of one group.
struct ColumnBlock {
  ColumnBlock(const Sizes& sizes, std::int64_t index)
      : group(index / sizes.blocks_of_group()),
        first(group * sizes.group_columns() + index % sizes.blocks_of_group() * kColumns),
        count(std::min(kColumns, (group + 1) * sizes.group_columns() - first)) {}

  std::int64_t group, first, count;
};

template <class Real>
void project_forward(const at::Tensor& x, const at::Tensor& projections, const Sizes& sizes,
                     const std::vector<std::int64_t>& offsets, kernels::Operands operands,
                     const at::Tensor& out) {
  const auto* rows = x.const_data_ptr<Real>();
  const auto* projection = projections.const_data_ptr<Real>();
  auto* to = out.mutable_data_ptr<Real>();
  for_each_unit(offsets, sizes.blocks(), [&](std::int64_t b, std::int64_t unit) {
    const ColumnBlock block(sizes, unit);
    for (std::int64_t set = 0; set < sizes.sets; ++set) {
      const auto matrix = (set * sizes.groups + block.group) * sizes.rank * sizes.length;
      kernels::gemm(Transpose::kNo, Transpose::kNo, sizes.rank, block.count,
                    offsets[b + 1] - offsets[b], projection + matrix, sizes.length,
                    rows + offsets[b] * sizes.columns + block.first, sizes.columns, {},
                    to + sizes.projected(set, b) + block.first, sizes.columns, operands);
    }
  });
}

// dx += E^T dP, or = where nothing is kept; the projections [s, g, L, k] are transposed once, so
// that no product has to.
template <class Real>
void input_backward(const at::Tensor& transposed, const at::Tensor& gradient, const Sizes& sizes,
                    const std::vector<std::int64_t>& offsets, kernels::Operands operands, bool keep,
                    const at::Tensor& dx) {
  const auto* projection = transposed.const_data_ptr<Real>();
  const auto* g = gradient.const_data_ptr<Real>();
  auto* to = dx.mutable_data_ptr<Real>();
  for_each_unit(offsets, sizes.blocks(), [&](std::int64_t b, std::int64_t unit) {
    const ColumnBlock block(sizes, unit);
    for (std::int64_t set = 0; set < sizes.sets; ++set) {
      const auto matrix = (set * sizes.groups + block.group) * sizes.rank * sizes.length;
      kernels::gemm(Transpose::kNo, Transpose::kNo, offsets[b + 1] - offsets[b], block.count,
                    sizes.rank, projection + matrix, sizes.rank,
                    g + sizes.projected(set, b) + block.first, sizes.columns,
                    {.keep = keep || set > 0}, to + offsets[b] * sizes.columns + block.first,
                    sizes.columns, operands);
    }
  });
}

// The gradient of the projections, transposed: sums [s, g, longest, k] += X dP^T for some rows of a
// sequence.
template <class Real>
void add_projection_gradient(const Real* rows, const Real* g, const Sizes& sizes,
                             const std::vector<std::int64_t>& offsets, const SequenceBlock& block,
                             std::int64_t longest, kernels::Operands operands, Real* sums) {
  const auto columns = sizes.group_columns(), start = block.first - offsets[block.sequence];
  for (std::int64_t set = 0; set < sizes.sets; ++set) {
    for (std::int64_t group = 0; group < sizes.groups; ++group) {
      const auto first = group * columns;
      Real* sum = sums + ((set * sizes.groups + group) * longest + start) * sizes.rank;
      kernels::gemm(Transpose::kNo, Transpose::kYes, block.rows, sizes.rank, columns,
                    rows + block.first * sizes.columns + first, sizes.columns,
                    g + sizes.projected(set, block.sequence) + first, sizes.columns, {.keep = true},
                    sum, sizes.rank, operands);
    }
  }
}

template <class Real>
void projection_backward(const at::Tensor& x, const at::Tensor& gradient, const Sizes& sizes,
                         const std::vector<std::int64_t>& offsets, kernels::Operands operands,
                         const at::Tensor& sums) {
  const auto blocks = sequence_blocks(offsets, kGradientRows);
  const auto longest = sums.size(2), size = sums.numel();
  const auto threads = at::in_parallel_region() ? 1 : at::get_num_threads();
  const auto parts = std::clamp<std::int64_t>(x.size(0) / kGradientRows, 1, threads);
  std::vector<Real> others((parts - 1) * size);
  auto* to = sums.mutable_data_ptr<Real>();
  at::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto part = begin; part < end; ++part) {
      const auto low = x.size(0) * part / parts, high = x.size(0) * (part + 1) / parts;
      for (const auto& block : blocks) {
        if (block.rows == 0 || block.first < low || block.first >= high) continue;
        add_projection_gradient(x.const_data_ptr<Real>(), gradient.const_data_ptr<Real>(), sizes,
                                offsets, block, longest, operands,
                                part == 0 ? to : &others[(part - 1) * size]);
      }
    }
  });
  for (std::int64_t part = 1; part < parts; ++part) {
    for (std::int64_t i = 0; i < size; ++i) to[i] += others[(part - 1) * size + i];
  }
}

class ProjectLengths : public Function<ProjectLengths> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& x_in,
                               const at::Tensor& projections_in,
                               const std::vector<std::int64_t>& offsets, std::int64_t rounding) {
    const auto x = x_in.contiguous(), projections = projections_in.contiguous();
    const Sizes sizes(x, projections, static_cast<std::int64_t>(offsets.size()) - 1);
    auto out = at::empty({sizes.sets, sizes.sequences, sizes.rank, sizes.columns}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "project_lengths", [&] {
      project_forward<scalar_t>(x, projections, sizes, offsets,
                                static_cast<kernels::Operands>(rounding), out);
    });
    context->save_for_backward({x, projections});
    context->saved_data["offsets"] = offsets;
    context->saved_data["rounding"] = rounding;
    context->set_materialize_grads(false);
    return {out, x_in};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &projections = saved[1];
    const auto offsets = context->saved_data["offsets"].toIntVector();
    const auto operands = static_cast<kernels::Operands>(context->saved_data["rounding"].toInt());
    const Sizes sizes(x, projections, static_cast<std::int64_t>(offsets.size()) - 1);
    if (!gradients[0].defined()) return {gradients[1], at::Tensor(), at::Tensor(), at::Tensor()};
    const auto gradient = gradients[0].contiguous();
    const bool keep = gradients[1].defined();
    const bool own = keep && gradients[1].is_contiguous() && gradients[1].use_count() == 1;
    at::Tensor dx, dprojections;
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "project_lengths_backward", [&] {
      if (context->needs_input_grad(0)) {
        dx = !keep ? at::empty_like(x)
             : own ? gradients[1]
                   : gradients[1].clone(at::MemoryFormat::Contiguous);
        input_backward<scalar_t>(projections.transpose(2, 3).contiguous(), gradient, sizes, offsets,
                                 operands, keep, dx);
      }
      if (context->needs_input_grad(1)) {
        std::int64_t longest = 0;
        for (std::int64_t b = 0; b < sizes.sequences; ++b) {
          longest = std::max(longest, offsets[b + 1] - offsets[b]);
        }
        const auto sums = at::zeros({sizes.sets, sizes.groups, longest, sizes.rank}, x.options());
        projection_backward<scalar_t>(x, gradient, sizes, offsets, operands, sums);
        dprojections = at::constant_pad_nd(sums.transpose(2, 3), {0, sizes.length - longest});
      }
    });
    return {dx, dprojections, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

ProjectedLengths project_lengths(const at::Tensor& x, const at::Tensor& projections,
                                 const Offsets& offsets) {
  check_rows(x, offsets);
  TORCH_CHECK(projections.dim() == 4 && x.size(1) % projections.size(1) == 0,
              "expected projections [s, g, k, L] with a g that divides ", x.size(1), ", got ",
              projections.sizes());
  TORCH_CHECK(projections.scalar_type() == x.scalar_type(), "expected projections of the type ",
              x.scalar_type(), ", got ", projections.scalar_type());
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    TORCH_CHECK(offsets.length(b) <= projections.size(3), "a sequence of ", offsets.length(b),
                " rows is longer than the projections, which have ", projections.size(3));
  }
  auto results = ProjectLengths::apply(x, projections, offsets.copy(),
                                       static_cast<std::int64_t>(token_operands()));
  return {results[0], results[1]};
}

}  // namespace fastformer::nn
