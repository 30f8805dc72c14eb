#include "fastformer/nn/layers/dropout.h"

#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "fastformer/kernels/dropout.h"
#include "fastformer/kernels/parallel.h"

namespace fastformer::nn {
namespace {

using kernels::DropoutRule;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

at::Tensor apply_rule(const at::Tensor& x, const std::optional<at::Tensor>& residual,
                      const DropoutRule& rule) {
  auto out = at::empty_like(x);
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "dropout", [&] {
    const auto* from = x.const_data_ptr<scalar_t>();
    const auto* base = residual ? residual->const_data_ptr<scalar_t>() : nullptr;
    auto* to = out.mutable_data_ptr<scalar_t>();
    kernels::parallel_for(0, x.numel(), 1 << 14, [&](std::int64_t begin, std::int64_t end) {
      kernels::dropout_add<scalar_t>(from + begin, base == nullptr ? nullptr : base + begin,
                                     end - begin, rule, begin, to + begin);
    });
  });
  return out;
}

class DropoutAdd : public Function<DropoutAdd> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const std::optional<at::Tensor>& residual, double rate) {
    const auto seed = dropout_seed();
    context->saved_data["seed"] = seed;
    context->saved_data["rate"] = rate;
    context->saved_data["added"] = residual.has_value();
    return apply_rule(x, residual, {static_cast<std::uint64_t>(seed), rate});
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto seed = static_cast<std::uint64_t>(context->saved_data["seed"].toInt());
    const DropoutRule rule{seed, context->saved_data["rate"].toDouble()};
    const auto dx = apply_rule(gradients[0].contiguous(), std::nullopt, rule);
    return {dx, context->saved_data["added"].toBool() ? gradients[0] : at::Tensor(), at::Tensor()};
  }
};

}  // namespace

std::int64_t dropout_seed() { return at::empty({1}, at::kLong).random_().item<std::int64_t>(); }

at::Tensor dropout_add(const at::Tensor& x, const at::Tensor& residual, double rate) {
  TORCH_CHECK(rate >= 0 && rate < 1, "expected a dropout rate of at least 0 and below 1, got ",
              rate);
  if (!residual.defined()) return DropoutAdd::apply(x.contiguous(), std::nullopt, rate);
  TORCH_CHECK(residual.sizes() == x.sizes() && residual.scalar_type() == x.scalar_type(),
              "expected a residual ", x.sizes(), " of the type ", x.scalar_type(), ", got ",
              residual.sizes(), " of the type ", residual.scalar_type());
  return DropoutAdd::apply(x.contiguous(), std::optional(residual.contiguous()), rate);
}

KeptTokens drop_tokens(const at::Tensor& x, const Offsets& offsets, double rate) {
  const auto draws = at::rand({offsets.total()}, at::kDouble);
  const auto* draw = draws.const_data_ptr<double>();
  std::vector<std::int64_t> kept;
  KeptTokens result;
  result.offsets.push_back(0);
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    const auto first = offsets.begin_of(b), end = first + offsets.length(b);
    const auto before = kept.size();
    for (std::int64_t i = first; i < end; ++i) {
      if (draw[i] >= rate) kept.push_back(i);
    }
    if (kept.size() == before && first < end) kept.push_back(first);
    result.offsets.push_back(static_cast<std::int64_t>(kept.size()));
  }
  result.rows = x.index_select(0, at::tensor(kept, at::kLong));
  return result;
}

}  // namespace fastformer::nn
