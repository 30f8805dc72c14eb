#include "fastformer/nn/mixers/low_rank_attention.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "fastformer/kernels/products/gemm.h"
#include "fastformer/kernels/row_blocks.h"
#include "fastformer/nn/mixers/row_attention.h"

namespace fastformer::nn {

namespace {

using kernels::Transpose;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Columns per unit of work: few enough that a long sequence has work for several threads, and
// enough to amortize packing their rows.
constexpr std::int64_t kColumns = 64;
// Rows of which a thread takes the gradient of the projections at a time.
constexpr std::int64_t kGradientRows = 512;

// x [T, c] and projections [s, g, k, L].
struct ProjectionSizes {
  ProjectionSizes(const at::Tensor& x, const at::Tensor& projections, std::int64_t count)
      : columns(x.size(1)),
        sets(projections.size(0)),
        groups(projections.size(1)),
        rank(projections.size(2)),
        length(projections.size(3)),
        sequences(count) {}
  std::int64_t group_columns() const { return columns / groups; }
  std::int64_t blocks_of_group() const { return (group_columns() + kColumns - 1) / kColumns; }
  std::int64_t blocks() const { return groups * blocks_of_group(); }
  // The first row of a sequence in [s, B, k, c].
  std::int64_t projected(std::int64_t set, std::int64_t sequence) const {
    return (set * sequences + sequence) * rank * columns;
  }

  std::int64_t columns, sets, groups, rank, length, sequences;
};

// Some columns of one group.
struct ColumnBlock {
  ColumnBlock(const ProjectionSizes& sizes, std::int64_t index)
      : group(index / sizes.blocks_of_group()),
        first(group * sizes.group_columns() + index % sizes.blocks_of_group() * kColumns),
        count(std::min(kColumns, (group + 1) * sizes.group_columns() - first)) {}

  std::int64_t group, first, count;
};

template <class Real>
void project_forward(const at::Tensor& x, const at::Tensor& projections,
                     const ProjectionSizes& sizes, const std::vector<std::int64_t>& offsets,
                     kernels::Operands operands, const at::Tensor& out) {
  const auto* rows = x.const_data_ptr<Real>();
  const auto* projection = projections.const_data_ptr<Real>();
  auto* to = out.mutable_data_ptr<Real>();
  kernels::for_each_unit(offsets, sizes.blocks(), [&](std::int64_t b, std::int64_t unit) {
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
void input_backward(const at::Tensor& transposed, const at::Tensor& gradient,
                    const ProjectionSizes& sizes, const std::vector<std::int64_t>& offsets,
                    kernels::Operands operands, bool keep, const at::Tensor& dx) {
  const auto* projection = transposed.const_data_ptr<Real>();
  const auto* g = gradient.const_data_ptr<Real>();
  auto* to = dx.mutable_data_ptr<Real>();
  kernels::for_each_unit(offsets, sizes.blocks(), [&](std::int64_t b, std::int64_t unit) {
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
void add_projection_gradient(const Real* rows, const Real* g, const ProjectionSizes& sizes,
                             const std::vector<std::int64_t>& offsets,
                             const kernels::SequenceBlock& block, std::int64_t longest,
                             kernels::Operands operands, Real* sums) {
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
void projection_backward(const at::Tensor& x, const at::Tensor& gradient,
                         const ProjectionSizes& sizes, const std::vector<std::int64_t>& offsets,
                         kernels::Operands operands, const at::Tensor& sums) {
  const auto blocks = kernels::sequence_blocks(offsets, kGradientRows);
  const auto longest = sums.size(2), size = sums.numel();
  const auto threads = kernels::in_parallel_region() ? 1 : kernels::thread_count();
  const auto parts = std::clamp<std::int64_t>(x.size(0) / kGradientRows, 1, threads);
  std::vector<Real> others((parts - 1) * size);
  auto* to = sums.mutable_data_ptr<Real>();
  kernels::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
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
    const ProjectionSizes sizes(x, projections, static_cast<std::int64_t>(offsets.size()) - 1);
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
    const ProjectionSizes sizes(x, projections, static_cast<std::int64_t>(offsets.size()) - 1);
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
                " rows is longer than the projections, whose length is ", projections.size(3));
  }
  auto results = ProjectLengths::apply(x, projections, offsets.copy(),
                                       static_cast<std::int64_t>(kernels::token_operands()));
  return {results[0], results[1]};
}

namespace {

// "encoder" of "encoder.layers.0.attention".
std::string encoder_name(const std::string& name) { return name.substr(0, name.find(".layers.")); }

}  // namespace

void LowRankFields::visit_fields(base::FieldVisitor& visit) {
  visit("projection", projection, "number of rows that keys and values are projected to",
        base::between(1, 65536));
  visit("projection_length", projection_length, "largest number of tokens per sequence",
        base::between(1, 1 << 20));
  visit("projection_sharing", projection_sharing,
        "what shares a projection: nothing (none), the heads of a layer (heads), also its keys and "
        "values (key_value), or all layers (layers)");
}

LowRankAttention::LowRankAttention(const model::MixerShape& shape, const LowRankFields& fields,
                                   ParameterStore& store, const std::string& name)
    : heads_(shape.heads),
      rank_(fields.projection),
      length_(fields.projection_length),
      query_(store, name + ".query", shape.width, shape.width),
      key_(store, name + ".key", shape.width, shape.width),
      value_(store, name + ".value", shape.width, shape.width) {
  std::vector<std::int64_t> sizes = {rank_, length_};
  std::vector<std::string> names = {name + ".key_projection", name + ".value_projection"};
  switch (fields.projection_sharing) {
    case ProjectionSharing::kNone:
      sizes.insert(sizes.begin(), heads_);
      break;
    case ProjectionSharing::kHeads:
      break;
    case ProjectionSharing::kKeyValue:
      names = {name + ".length_projection"};
      break;
    case ProjectionSharing::kLayers:
      names = {encoder_name(name) + ".length_projection"};
      break;
  }
  for (const auto& projection : names) {
    // So that a projected row is as large as one row.
    const auto deviation = 1 / std::sqrt(static_cast<double>(length_));
    projections_.push_back(store.normal(projection + ".weight", sizes, deviation));
  }
  if (shape.output_projection) {
    output_ = Linear(store, name + ".output", shape.width, shape.width);
  }
}

// As in the definition: keys and values of all tokens, then k rows of each sequence.
LowRankAttention::Attended LowRankAttention::project_rows(const at::Tensor& x,
                                                          const Offsets& offsets) const {
  const auto rows = project(x, {query_, key_, value_});
  const auto shorten = [&](const at::Tensor& all, const at::Tensor& projection) {
    const auto by_group = projection.view({1, -1, rank_, length_});
    return project_lengths(all, by_group, offsets).rows.view({-1, x.size(1)});
  };
  return {rows[0], shorten(rows[1], projections_.front()), shorten(rows[2], projections_.back())};
}

// In the other order, for projections that all heads share.
LowRankAttention::Attended LowRankAttention::project_input(const at::Tensor& x,
                                                           const Offsets& offsets) const {
  std::vector<std::int64_t> lengths;
  for (std::int64_t b = 0; b < offsets.size(); ++b) lengths.push_back(offsets.length(b));
  const auto projections = at::stack(projections_);  // [1 or 2, k, L]
  const auto shortened = project_lengths(x, projections.unsqueeze(1), offsets);
  // E 1 for the first n columns of E: [1 or 2, k, B]
  const auto sums = at::constant_pad_nd(projections.cumsum(2), {1, 0})
                        .index_select(2, at::tensor(lengths, at::kLong));
  const auto layer = [&](const Linear& linear, std::int64_t set) {
    const auto rows = affine(shortened.rows.select(0, set).reshape({-1, x.size(1)}), linear.weight,
                             {}, kernels::token_operands());
    return at::addr(rows, sums.select(0, set).t().reshape({-1}), linear.bias);
  };
  const auto last = static_cast<std::int64_t>(projections_.size()) - 1;
  return {query_.forward(shortened.input), layer(key_, 0), layer(value_, last)};
}

at::Tensor LowRankAttention::forward(const at::Tensor& x, const Offsets& offsets,
                                     MixerTrace* /*trace*/) const {
  check_rows(x, offsets);
  std::vector<std::int64_t> row_offsets = {0};
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    if (offsets.length(b) > length_) {
      throw std::invalid_argument(
          "a sequence of " + std::to_string(offsets.length(b)) +
          " tokens is longer than mixer.projection_length = " + std::to_string(length_) +
          "; truncate the texts or train with a longer projection");
    }
    row_offsets.push_back(row_offsets.back() + rank_);
  }
  const bool shared = projections_.front().dim() == 2;
  const bool pays = offsets.total() > rank_ * offsets.size();
  const auto [query, key, value] =
      shared && pays ? project_input(x, offsets) : project_rows(x, offsets);
  const auto y = attend_rows(query, key, value, heads_, offsets, Offsets(row_offsets));
  return output_ ? output_.forward(y) : y;
}

// Counted in the cheaper order, which is also the one that runs.
double LowRankAttention::multiply_adds(std::int64_t tokens) const {
  const auto n = static_cast<double>(tokens), d = static_cast<double>(query_.weight.size(0));
  const auto k = static_cast<double>(rank_);
  const double projected_rows = projections_[0].dim() == 2 ? std::min(n, k) : n;
  const double lengths = static_cast<double>(projections_.size()) * n * k * d;
  return (output_ ? 2 : 1) * n * d * d + 2 * projected_rows * d * d + lengths + 2 * n * k * d;
}

}  // namespace fastformer::nn
