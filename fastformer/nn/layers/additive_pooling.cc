#include "fastformer/nn/layers/additive_pooling.h"

#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "fastformer/kernels/row_blocks.h"
#include "fastformer/kernels/segment_sums.h"
#include "fastformer/kernels/sequence_pooling.h"
#include "fastformer/nn/layers/feed_forward.h"

namespace fastformer::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

class PoolByLogits : public Function<PoolByLogits> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& x_in,
                               const at::Tensor& logits, const std::vector<std::int64_t>& offsets) {
    const auto x = x_in.contiguous();
    const auto weights = logits.contiguous().clone();
    const std::int64_t width = x.size(1);
    auto pooled = at::empty({static_cast<std::int64_t>(offsets.size()) - 1, width}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pool_by_logits", [&] {
      kernels::pool_by_logits(x.const_data_ptr<scalar_t>(), offsets, width,
                              weights.mutable_data_ptr<scalar_t>(),
                              pooled.mutable_data_ptr<scalar_t>());
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
      kernels::for_each_block(kernels::sequence_blocks(offsets),
                              [&](std::int64_t, const kernels::SequenceBlock& block) {
                                const auto b = block.sequence, first = block.first;
                                kernels::segment_sum_backward(
                                    rows + first * width, w + first, p + b * width, g + b * width,
                                    block.rows, width, out + first * width, out_logits + first);
                              });
    });
    return {dx, dlogits, at::Tensor()};
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

AdditivePooling::AdditivePooling(ParameterStore& store, const std::string& name, std::int64_t width,
                                 std::int64_t query_width)
    : projection_(store, name + ".projection", width, query_width),
      logits_(store, name + ".logits", query_width, 1) {}

Pooled AdditivePooling::forward(const at::Tensor& x, const Offsets& offsets) const {
  const auto logits = feed_forward(x, projection_, logits_, kernels::Activation::kTanh);
  return pool_by_logits(x, logits, offsets);
}

}  // namespace fastformer::nn
