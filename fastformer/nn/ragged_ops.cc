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

std::int64_t count_of(const Values& offsets) {
  return static_cast<std::int64_t>(offsets.size()) - 1;
}

// body(b, first, n) for every sequence, spread over the threads in runs of about equal numbers.
template <class Body>
void for_each_sequence(const Values& offsets, const Body& body) {
  at::parallel_for(0, count_of(offsets), 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) body(b, offsets[b], offsets[b + 1] - offsets[b]);
  });
}

class PoolByLogits : public Function<PoolByLogits> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& x_in,
                               const at::Tensor& logits, const Values& offsets) {
    const auto x = x_in.contiguous();
    const auto weights = logits.contiguous().clone();
    const std::int64_t width = x.size(1);
    auto pooled = at::empty({count_of(offsets), width}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pool_by_logits", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      auto* w = weights.mutable_data_ptr<scalar_t>();
      auto* out = pooled.mutable_data_ptr<scalar_t>();
      for_each_sequence(offsets, [&](std::int64_t b, std::int64_t first, std::int64_t n) {
        kernels::segment_softmax(w + first, n);
        kernels::pool_segment(rows + first * width, w + first, n, width, out + b * width);
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
    const std::int64_t width = x.size(1);
    auto dx = at::empty_like(x), dlogits = at::empty_like(weights);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pool_by_logits_backward", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      const auto* w = weights.const_data_ptr<scalar_t>();
      const auto* p = pooled.const_data_ptr<scalar_t>();
      const auto* g = gradient.const_data_ptr<scalar_t>();
      auto* out = dx.mutable_data_ptr<scalar_t>();
      auto* out_logits = dlogits.mutable_data_ptr<scalar_t>();
      for_each_sequence(offsets, [&](std::int64_t b, std::int64_t first, std::int64_t n) {
        kernels::pool_segment_backward(rows + first * width, w + first, p + b * width,
                                       g + b * width, n, width, out + first * width,
                                       out_logits + first);
      });
    });
    return {dx, dlogits, at::Tensor()};
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
    auto sums = at::zeros({count_of(offsets), width}, gradient.options());
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

class ScaleRows : public Function<ScaleRows> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in,
                            const at::Tensor& vectors_in, const Values& offsets) {
    const auto x = x_in.contiguous(), vectors = vectors_in.contiguous();
    const std::int64_t width = x.size(1);
    auto y = at::empty_like(x);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "scale_rows", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      const auto* scale = vectors.const_data_ptr<scalar_t>();
      auto* out = y.mutable_data_ptr<scalar_t>();
      for_each_sequence(offsets, [&](std::int64_t b, std::int64_t first, std::int64_t n) {
        for (std::int64_t i = first; i < first + n; ++i) {
          for (std::int64_t c = 0; c < width; ++c) {
            out[i * width + c] = rows[i * width + c] * scale[b * width + c];
          }
        }
      });
    });
    context->save_for_backward({x, vectors});
    context->saved_data["offsets"] = offsets;
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &vectors = saved[1];
    const auto offsets = context->saved_data["offsets"].toIntVector();
    const auto gradient = gradients[0].contiguous();
    const std::int64_t width = x.size(1);
    auto dx = at::empty_like(x), dvectors = at::zeros_like(vectors);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "scale_rows_backward", [&] {
      const auto* rows = x.const_data_ptr<scalar_t>();
      const auto* scale = vectors.const_data_ptr<scalar_t>();
      const auto* g = gradient.const_data_ptr<scalar_t>();
      auto* out = dx.mutable_data_ptr<scalar_t>();
      auto* out_scale = dvectors.mutable_data_ptr<scalar_t>();
      for_each_sequence(offsets, [&](std::int64_t b, std::int64_t first, std::int64_t n) {
        for (std::int64_t i = first; i < first + n; ++i) {
          for (std::int64_t c = 0; c < width; ++c) {
            out[i * width + c] = g[i * width + c] * scale[b * width + c];
            out_scale[b * width + c] += g[i * width + c] * rows[i * width + c];
          }
        }
      });
    });
    return {dx, dvectors, at::Tensor()};
  }
};

}  // namespace

Pooled pool_by_logits(const at::Tensor& x, const at::Tensor& logits, const Offsets& offsets) {
  check_rows(x, offsets);
  TORCH_CHECK(logits.sizes() == at::IntArrayRef({x.size(0), 1}), "expected logits [", x.size(0),
              ", 1], got ", logits.sizes());
  auto results = PoolByLogits::apply(x, logits, offsets.copy());
  return {results[0], results[1]};
}

at::Tensor expand_rows(const at::Tensor& vectors, const Offsets& offsets) {
  TORCH_CHECK(vectors.dim() == 2 && vectors.size(0) == offsets.size(), "expected vectors [",
              offsets.size(), ", d], got ", vectors.sizes());
  return ExpandRows::apply(vectors, offsets.copy());
}

at::Tensor scale_rows(const at::Tensor& x, const at::Tensor& vectors, const Offsets& offsets) {
  check_rows(x, offsets);
  TORCH_CHECK(vectors.sizes() == at::IntArrayRef({offsets.size(), x.size(1)}), "expected vectors [",
              offsets.size(), ", ", x.size(1), "], got ", vectors.sizes());
  return ScaleRows::apply(x, vectors, offsets.copy());
}

}  // namespace fastformer::nn
