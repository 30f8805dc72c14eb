#include "fastformer/nn/mixers/row_pooling.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "fastformer/kernels/row_pooling.h"
#include "fastformer/nn/row_blocks.h"

namespace fastformer::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

struct PoolingShape {
  std::int64_t width, heads;
  std::int64_t queries() const { return width * heads; }
  std::int64_t state() const { return kernels::pooling_state_size(width, heads); }
  std::int64_t scratch() const { return kernels::row_pooling_scratch_size(width, heads); }
};

template <class Real>
void pool_blocks(const at::Tensor& x, const at::Tensor& queries,
                 const std::vector<SequenceBlock>& blocks, const PoolingShape& shape,
                 const at::Tensor& pooled, const at::Tensor& statistics) {
  const auto [width, heads] = shape;
  const auto stride = queries.size(0) == 1 ? 0 : shape.queries();
  const auto* rows = x.const_data_ptr<Real>();
  const auto* query = queries.const_data_ptr<Real>();
  auto* out = pooled.mutable_data_ptr<Real>();
  auto* out_statistics = statistics.mutable_data_ptr<Real>();
  std::vector<Real> parts(all_whole(blocks) ? 0 : blocks.size() * shape.state());

  const auto finish = [&](const Real* state, std::int64_t sequence) {
    kernels::finish_pooling(state, width, heads, out + sequence * shape.queries(),
                            out_statistics + sequence * 2 * heads);
  };
  for_each_block(blocks, [&](std::int64_t index, const SequenceBlock& block) {
    auto* scratch = scratch_of<Real>(shape.scratch() + shape.state());
    auto* state = block.whole ? scratch + shape.scratch() : &parts[index * shape.state()];
    kernels::pool_block(rows + block.first * width, query + block.sequence * stride, block.rows,
                        width, heads, state, scratch);
    if (block.whole) finish(state, block.sequence);
  });
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].whole) continue;
    auto* state = &parts[i * shape.state()];
    const auto sequence = blocks[i].sequence;
    for (; i + 1 < blocks.size() && blocks[i + 1].sequence == sequence; ++i) {
      kernels::merge_pooling(&parts[(i + 1) * shape.state()], width, heads, state);
    }
    finish(state, sequence);
  }
}

// Adds to dx; one [h, d] gradient of the queries per block.
template <class Real>
void pool_blocks_backward(const variable_list& saved, const std::vector<SequenceBlock>& blocks,
                          const PoolingShape& shape, const at::Tensor& gradient,
                          const at::Tensor& dx, const at::Tensor& dqueries) {
  const auto [width, heads] = shape;
  const auto stride = saved[1].size(0) == 1 ? 0 : shape.queries();
  const auto* rows = saved[0].const_data_ptr<Real>();
  const auto* query = saved[1].const_data_ptr<Real>();
  const auto* pooled = saved[2].const_data_ptr<Real>();
  const auto* statistics = saved[3].const_data_ptr<Real>();
  const auto* g = gradient.const_data_ptr<Real>();
  auto* out = dx.mutable_data_ptr<Real>();
  auto* out_queries = dqueries.mutable_data_ptr<Real>();
  for_each_block(blocks, [&](std::int64_t index, const SequenceBlock& block) {
    const auto b = block.sequence;
    kernels::pool_block_backward(rows + block.first * width, query + b * stride,
                                 pooled + b * shape.queries(), statistics + b * 2 * heads,
                                 g + b * shape.queries(), block.rows, width, heads,
                                 out + block.first * width, out_queries + index * shape.queries(),
                                 scratch_of<Real>(shape.scratch()));
  });
}

// The gradients of blocks become those of sequences.
at::Tensor sum_by_sequence(const at::Tensor& parts, const std::vector<SequenceBlock>& blocks,
                           std::int64_t sequences) {
  if (parts.size(0) == sequences) return parts;
  auto sums = at::zeros({sequences, parts.size(1), parts.size(2)}, parts.options());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    sums[blocks[i].sequence].add_(parts[static_cast<std::int64_t>(i)]);
  }
  return sums;
}

class PoolRows : public Function<PoolRows> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& x_in,
                               const at::Tensor& queries_in,
                               const std::vector<std::int64_t>& offsets) {
    const auto x = x_in.contiguous(), queries = queries_in.contiguous();
    const PoolingShape shape{x.size(1), queries.size(1)};
    const auto sequences = static_cast<std::int64_t>(offsets.size()) - 1;
    auto pooled = at::empty({sequences, shape.heads, shape.width}, x.options());
    auto statistics = at::empty({sequences, 2, shape.heads}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pool_rows", [&] {
      pool_blocks<scalar_t>(x, queries, sequence_blocks(offsets), shape, pooled, statistics);
    });
    context->save_for_backward({x, queries, pooled, statistics});
    context->saved_data["offsets"] = offsets;
    context->mark_non_differentiable({statistics});
    return {pooled, x_in, statistics};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto offsets = context->saved_data["offsets"].toIntVector();
    const auto blocks = sequence_blocks(offsets);
    const PoolingShape shape{saved[0].size(1), saved[1].size(1)};
    const auto sequences = static_cast<std::int64_t>(offsets.size()) - 1;
    const bool own = gradients[1].is_contiguous() && gradients[1].use_count() == 1;
    const auto dx = own ? gradients[1] : gradients[1].clone(at::MemoryFormat::Contiguous);
    auto dqueries = at::zeros({static_cast<std::int64_t>(blocks.size()), shape.heads, shape.width},
                              dx.options());
    AT_DISPATCH_FLOATING_TYPES(dx.scalar_type(), "pool_rows_backward", [&] {
      pool_blocks_backward<scalar_t>(saved, blocks, shape, gradients[0].contiguous(), dx, dqueries);
    });
    const bool one_query = saved[1].size(0) == 1;
    return {dx,
            one_query ? dqueries.sum(0, /*keepdim=*/true)
                      : sum_by_sequence(dqueries, blocks, sequences),
            at::Tensor()};
  }
};

}  // namespace

PooledRows pool_rows(const at::Tensor& x, const at::Tensor& queries, const Offsets& offsets) {
  check_rows(x, offsets);
  TORCH_CHECK(queries.dim() == 3 && queries.size(2) == x.size(1), "expected queries [B, h, ",
              x.size(1), "], got ", queries.sizes());
  TORCH_CHECK(queries.size(0) == 1 || queries.size(0) == offsets.size(),
              "expected queries of 1 or ", offsets.size(), " sequences, got ", queries.size(0));
  TORCH_CHECK(queries.scalar_type() == x.scalar_type(), "expected queries of the type ",
              x.scalar_type(), ", got ", queries.scalar_type());
  auto results = PoolRows::apply(x, queries, offsets.copy());
  return {results[0], results[1], results[2]};
}

at::Tensor pooling_weights(const at::Tensor& queries_in, const PooledRows& pooled,
                           const Offsets& offsets) {
  const auto x = pooled.rows.detach().contiguous(), queries = queries_in.detach().contiguous();
  const PoolingShape shape{x.size(1), queries.size(1)};
  auto weights = at::empty({x.size(0), shape.heads}, x.options());
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pooling_weights", [&] {
    const auto stride = queries.size(0) == 1 ? 0 : shape.queries();
    const auto* rows = x.const_data_ptr<scalar_t>();
    const auto* query = queries.const_data_ptr<scalar_t>();
    const auto* statistics = pooled.statistics.const_data_ptr<scalar_t>();
    auto* out = weights.mutable_data_ptr<scalar_t>();
    for_each_block(sequence_blocks(offsets.copy()), [&](std::int64_t, const SequenceBlock& block) {
      kernels::pooling_weights(rows + block.first * shape.width, query + block.sequence * stride,
                               statistics + block.sequence * 2 * shape.heads, block.rows,
                               shape.width, shape.heads, out + block.first * shape.heads,
                               scratch_of<scalar_t>(shape.scratch()));
    });
  });
  return weights;
}

}  // namespace fastformer::nn
