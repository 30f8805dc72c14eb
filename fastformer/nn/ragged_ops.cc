#include "fastformer/nn/ragged_ops.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "fastformer/kernels/segment_pooling.h"
#include "fastformer/nn/sequence_blocks.h"

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

// The blocks of a long sequence are pooled apart and added up in order.
template <class Real>
void pool_blocks(const Real* rows, const Real* weights, const std::vector<SequenceBlock>& blocks,
                 std::int64_t width, Real* out) {
  std::vector<Real> parts(blocks.size() * width);
  for_each_block(blocks, [&](std::int64_t index, const SequenceBlock& block) {
    auto* to = block.whole ? out + block.sequence * width : &parts[index * width];
    kernels::pool_segment(rows + block.first * width, weights + block.first, block.rows, width, to);
  });
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].whole) continue;
    auto* to = out + blocks[i].sequence * width;
    const auto* part = &parts[i * width];
    const bool begins = i == 0 || blocks[i - 1].sequence != blocks[i].sequence;
    for (std::int64_t c = 0; c < width; ++c) to[c] = begins ? part[c] : to[c] + part[c];
  }
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
      for_each_sequence(offsets, [&](std::int64_t, std::int64_t first, std::int64_t n) {
        kernels::segment_softmax(w + first, n);
      });
      pool_blocks(rows, w, sequence_blocks(offsets), width, out);
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
      for_each_block(sequence_blocks(offsets), [&](std::int64_t, const SequenceBlock& block) {
        const auto b = block.sequence, first = block.first;
        kernels::pool_segment_backward(rows + first * width, w + first, p + b * width,
                                       g + b * width, block.rows, width, out + first * width,
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

at::Tensor first_rows(const Offsets& offsets) {
  std::vector<std::int64_t> rows;
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    if (offsets.length(b) > 0) rows.push_back(offsets.begin_of(b));
  }
  return at::tensor(rows, at::kLong);
}

at::Tensor previous_rows(const at::Tensor& x, const Offsets& offsets) {
  check_rows(x, offsets);
  if (x.size(0) == 0) return x;
  const auto shifted = at::cat({x.narrow(0, 0, 1), x.narrow(0, 0, x.size(0) - 1)});
  return shifted.index_fill_(0, first_rows(offsets), 0);
}

}  // namespace fastformer::nn
