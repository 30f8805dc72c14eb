#include "fastformer/nn/mixers/row_pooling.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "fastformer/kernels/row_blocks.h"
#include "fastformer/kernels/row_pooling.h"
#include "fastformer/kernels/sequence_pooling.h"

namespace fastformer::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

struct PoolingShape {
  std::int64_t width, heads;
  std::int64_t queries() const { return width * heads; }
  // Between the queries of sequences; 0 where all sequences have the same.
  std::int64_t stride(const at::Tensor& all) const { return all.size(0) == 1 ? 0 : queries(); }
  std::int64_t scratch() const { return kernels::row_pooling_scratch_size(width, heads); }
};

// Adds to dx; one [h, d] gradient of the queries per block.
template <class Real>
void pool_blocks_backward(const variable_list& saved,
                          const std::vector<kernels::SequenceBlock>& blocks,
                          const PoolingShape& shape, const at::Tensor& gradient,
                          const at::Tensor& dx, const at::Tensor& dqueries) {
  const auto [width, heads] = shape;
  const auto stride = shape.stride(saved[1]);
  const auto* rows = saved[0].const_data_ptr<Real>();
  const auto* query = saved[1].const_data_ptr<Real>();
  const auto* pooled = saved[2].const_data_ptr<Real>();
  const auto* statistics = saved[3].const_data_ptr<Real>();
  const auto* g = gradient.const_data_ptr<Real>();
  auto* out = dx.mutable_data_ptr<Real>();
  auto* out_queries = dqueries.mutable_data_ptr<Real>();
  kernels::for_each_block(blocks, [&](std::int64_t index, const kernels::SequenceBlock& block) {
    const auto b = block.sequence;
    kernels::pool_block_backward(rows + block.first * width, query + b * stride,
                                 pooled + b * shape.queries(), statistics + b * 2 * heads,
                                 g + b * shape.queries(), block.rows, width, heads,
                                 out + block.first * width, out_queries + index * shape.queries(),
                                 kernels::scratch_of<Real>(shape.scratch()));
  });
}

// The gradients of blocks become those of sequences.
at::Tensor sum_by_sequence(const at::Tensor& parts,
                           const std::vector<kernels::SequenceBlock>& blocks,
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
      kernels::pool_sequences(x.const_data_ptr<scalar_t>(), queries.const_data_ptr<scalar_t>(),
                              shape.stride(queries), offsets, shape.width, shape.heads,
                              pooled.mutable_data_ptr<scalar_t>(),
                              statistics.mutable_data_ptr<scalar_t>());
    });
    context->save_for_backward({x, queries, pooled, statistics});
    context->saved_data["offsets"] = offsets;
    context->mark_non_differentiable({statistics});
    return {pooled, x_in, statistics};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto offsets = context->saved_data["offsets"].toIntVector();
    const auto blocks = kernels::sequence_blocks(offsets);
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
    kernels::sequence_pooling_weights(
        x.const_data_ptr<scalar_t>(), queries.const_data_ptr<scalar_t>(), shape.stride(queries),
        pooled.statistics.const_data_ptr<scalar_t>(), offsets.values(), shape.width, shape.heads,
        weights.mutable_data_ptr<scalar_t>());
  });
  return weights;
}

}  // namespace fastformer::nn
