#include "fastformer/nn/ragged_ops.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "fastformer/kernels/segment_pooling.h"

namespace fastformer::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;
using Values = std::vector<std::int64_t>;

Values copy(const Offsets& offsets) { return {offsets.values().begin(), offsets.values().end()}; }

// Sequences are spread over the threads in runs of about equal numbers; a batch of one sequence
// stays on the calling thread, where the products inside use all cores.
template <class Body>
void for_each_sequence(const Values& offsets, const Body& body) {
  const auto count = static_cast<std::int64_t>(offsets.size()) - 1;
  at::parallel_for(0, count, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) body(b, offsets[b], offsets[b + 1] - offsets[b]);
  });
}

class PoolOwnColumns : public Function<PoolOwnColumns> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& x_in,
                               const at::Tensor& logits, const Values& offsets) {
    const auto x = x_in.contiguous();
    const auto weights = logits.contiguous().clone();
    const std::int64_t width = x.size(1), heads = logits.size(1);
    auto pooled = at::empty({static_cast<std::int64_t>(offsets.size()) - 1, width}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pool_own_columns", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      auto* w = weights.mutable_data_ptr<scalar_t>();
      auto* out = pooled.mutable_data_ptr<scalar_t>();
      for_each_sequence(offsets, [&](std::int64_t b, std::int64_t first, std::int64_t n) {
        kernels::segment_softmax(w + first * heads, n, heads);
        kernels::pool_own_columns(rows + first * width, w + first * heads, n, width, heads,
                                  out + b * width);
      });
    });
    context->save_for_backward({x, weights, pooled});
    context->saved_data["offsets"] = offsets;
    context->mark_non_differentiable({weights});
    return {pooled, weights};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weights = saved[1], &pooled = saved[2];
    const auto offsets = context->saved_data["offsets"].toIntVector();
    const auto gradient = gradients[0].contiguous();
    const std::int64_t width = x.size(1), heads = weights.size(1);
    auto dx = at::empty_like(x), dlogits = at::empty_like(weights);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pool_own_columns_backward", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      const auto* w = weights.const_data_ptr<scalar_t>();
      const auto* p = pooled.const_data_ptr<scalar_t>();
      const auto* g = gradient.const_data_ptr<scalar_t>();
      auto* out = dx.mutable_data_ptr<scalar_t>();
      auto* out_logits = dlogits.mutable_data_ptr<scalar_t>();
      for_each_sequence(offsets, [&](std::int64_t b, std::int64_t first, std::int64_t n) {
        kernels::pool_own_columns_backward(rows + first * width, w + first * heads, p + b * width,
                                           g + b * width, n, width, heads, out + first * width,
                                           out_logits + first * heads);
      });
    });
    return {dx, dlogits, at::Tensor()};
  }
};

class PoolRows : public Function<PoolRows> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& x_in,
                               const at::Tensor& queries_in, const Values& offsets) {
    const auto x = x_in.contiguous(), queries = queries_in.contiguous();
    const std::int64_t width = x.size(1), heads = queries.size(1), block = heads * width;
    const std::int64_t stride = queries.size(0) == 1 ? 0 : block;
    auto weights = at::empty({x.size(0), heads}, x.options());
    auto pooled =
        at::empty({static_cast<std::int64_t>(offsets.size()) - 1, heads, width}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pool_rows", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      const auto* q = queries.const_data_ptr<scalar_t>();
      auto* w = weights.mutable_data_ptr<scalar_t>();
      auto* out = pooled.mutable_data_ptr<scalar_t>();
      for_each_sequence(offsets, [&](std::int64_t b, std::int64_t first, std::int64_t n) {
        kernels::pool_rows(rows + first * width, q + b * stride, n, width, heads, w + first * heads,
                           out + b * block);
      });
    });
    context->save_for_backward({x, queries, weights, pooled});
    context->saved_data["offsets"] = offsets;
    context->mark_non_differentiable({weights});
    return {pooled, weights};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &queries = saved[1], &weights = saved[2], &pooled = saved[3];
    const auto offsets = context->saved_data["offsets"].toIntVector();
    const auto gradient = gradients[0].contiguous();
    const std::int64_t width = x.size(1), heads = queries.size(1), block = heads * width;
    const std::int64_t stride = queries.size(0) == 1 ? 0 : block;
    auto dx = at::empty_like(x), dlogits = at::empty_like(weights);
    auto dqueries = at::empty_like(pooled);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pool_rows_backward", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      const auto* q = queries.const_data_ptr<scalar_t>();
      const auto* w = weights.const_data_ptr<scalar_t>();
      const auto* p = pooled.const_data_ptr<scalar_t>();
      const auto* g = gradient.const_data_ptr<scalar_t>();
      auto* out = dx.mutable_data_ptr<scalar_t>();
      auto* out_logits = dlogits.mutable_data_ptr<scalar_t>();
      auto* out_queries = dqueries.mutable_data_ptr<scalar_t>();
      for_each_sequence(offsets, [&](std::int64_t b, std::int64_t first, std::int64_t n) {
        kernels::pool_rows_backward(rows + first * width, q + b * stride, w + first * heads,
                                    p + b * block, g + b * block, n, width, heads,
                                    out + first * width, out_logits + first * heads,
                                    out_queries + b * block);
      });
    });
    return {dx, stride == 0 ? dqueries.sum(0, /*keepdim=*/true) : dqueries, at::Tensor()};
  }
};

class ExpandRows : public Function<ExpandRows> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& vectors_in,
                            const Values& offsets) {
    const auto vectors = vectors_in.contiguous();
    const std::int64_t width = vectors.size(1);
    auto rows = at::empty({offsets.back(), width}, vectors.options());
    AT_DISPATCH_FLOATING_TYPES(vectors.scalar_type(), "expand_rows", [&] {
      const auto* from = vectors.const_data_ptr<scalar_t>();
      auto* to = rows.mutable_data_ptr<scalar_t>();
      for_each_sequence(offsets, [&](std::int64_t b, std::int64_t first, std::int64_t n) {
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
      for_each_sequence(offsets, [&](std::int64_t b, std::int64_t first, std::int64_t n) {
        for (std::int64_t i = first; i < first + n; ++i) {
          for (std::int64_t c = 0; c < width; ++c) to[b * width + c] += from[i * width + c];
        }
      });
    });
    return {sums, at::Tensor()};
  }
};

void check_rows(const at::Tensor& x, const Offsets& offsets) {
  TORCH_CHECK(x.dim() == 2, "expected rows [T, d], got a tensor of ", x.dim(), " dimensions");
  TORCH_CHECK(x.size(0) == offsets.total(), "the batch has ", offsets.total(),
              " tokens by its offsets, but ", x.size(0), " rows");
}

}  // namespace

Pooled pool_own_columns(const at::Tensor& x, const at::Tensor& logits, const Offsets& offsets) {
  check_rows(x, offsets);
  check_rows(logits, offsets);
  TORCH_CHECK(x.size(1) % logits.size(1) == 0, "width ", x.size(1),
              " is not a multiple of the number of heads ", logits.size(1));
  auto results = PoolOwnColumns::apply(x, logits, copy(offsets));
  return {results[0], results[1]};
}

Pooled pool_rows(const at::Tensor& x, const at::Tensor& queries, const Offsets& offsets) {
  check_rows(x, offsets);
  TORCH_CHECK(queries.dim() == 3 && queries.size(2) == x.size(1), "expected queries [B, h, ",
              x.size(1), "], got ", queries.sizes());
  TORCH_CHECK(queries.size(0) == 1 || queries.size(0) == offsets.size(),
              "expected queries of 1 or ", offsets.size(), " sequences, got ", queries.size(0));
  auto results = PoolRows::apply(x, queries, copy(offsets));
  return {results[0], results[1]};
}

at::Tensor expand_rows(const at::Tensor& vectors, const Offsets& offsets) {
  TORCH_CHECK(vectors.dim() == 2 && vectors.size(0) == offsets.size(), "expected vectors [",
              offsets.size(), ", d], got ", vectors.sizes());
  return ExpandRows::apply(vectors, copy(offsets));
}

}  // namespace fastformer::nn
