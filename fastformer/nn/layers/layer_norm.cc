#include "fastformer/nn/layers/layer_norm.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "fastformer/kernels/dropout.h"
#include "fastformer/kernels/layer_norm.h"
#include "fastformer/kernels/row_blocks.h"
#include "fastformer/nn/layers/dropout.h"

namespace fastformer::nn {
namespace {

using kernels::DropoutRule;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// The sum and its norm of 64 rows of 256 floats stay in the L1 and L2 caches.
constexpr std::int64_t kNormRows = 64;

// body(part, first, rows) in blocks of kNormRows.
template <class Body>
void for_each_norm_rows(std::int64_t total, const Body& body) {
  kernels::for_each_row_block(total, [&](std::int64_t part, std::int64_t first, std::int64_t n) {
    for (std::int64_t i = 0; i < n; i += kNormRows)
      body(part, first + i, std::min(kNormRows, n - i));
  });
}

struct NormInputs {
  at::Tensor x;
  std::optional<at::Tensor> residual;
  DropoutRule rule;
  double epsilon;
  bool is_sum() const { return residual.has_value() || rule.rate > 0; }
};

// `sum` [T, d] receives the input of the normalisation, if it is defined and not x.
template <class Real>
void run_norm(const NormInputs& in, const at::Tensor& weight, const at::Tensor& bias,
              const at::Tensor& sum, const at::Tensor& statistics, const at::Tensor& y) {
  const auto width = in.x.size(1);
  const auto* x = in.x.const_data_ptr<Real>();
  const auto* residual = in.residual ? in.residual->const_data_ptr<Real>() : nullptr;
  const auto *w = weight.const_data_ptr<Real>(), *b = bias.const_data_ptr<Real>();
  auto* kept = sum.defined() && in.is_sum() ? sum.mutable_data_ptr<Real>() : nullptr;
  auto* moments = statistics.defined() ? statistics.mutable_data_ptr<Real>() : nullptr;
  auto* out = y.mutable_data_ptr<Real>();
  for_each_norm_rows(in.x.size(0), [&](std::int64_t, std::int64_t row, std::int64_t n) {
    const auto first = row * width;
    const auto* z = x + first;
    if (in.is_sum()) {
      auto* to = kept == nullptr ? kernels::scratch_of<Real>(kNormRows * width) : kept + first;
      kernels::dropout_add(x + first, residual == nullptr ? nullptr : residual + first, n * width,
                           in.rule, first, to);
      z = to;
    }
    kernels::layer_norm(z, w, b, in.epsilon, n, width, out + first,
                        moments == nullptr ? nullptr : moments + 2 * row);
  });
}

// dsum is the gradient of the sum and of the residual; dx that of x, where it is another tensor.
template <class Real>
void run_norm_backward(const variable_list& saved, const at::Tensor& gradient,
                       const DropoutRule& rule, const at::Tensor& dsum, const at::Tensor& dx,
                       const at::Tensor& dweight, const at::Tensor& dbias) {
  const auto rows = saved[0].size(0), width = saved[0].size(1);
  const auto *z = saved[0].const_data_ptr<Real>(), *moments = saved[1].const_data_ptr<Real>();
  const auto *w = saved[2].const_data_ptr<Real>(), *g = gradient.const_data_ptr<Real>();
  auto *out = dsum.mutable_data_ptr<Real>(), *dropped = dx.mutable_data_ptr<Real>();
  const auto parts = kernels::parts_of(kernels::row_blocks(rows));
  kernels::PartialSums<Real> weights(parts, width, dweight.mutable_data_ptr<Real>());
  kernels::PartialSums<Real> biases(parts, width, dbias.mutable_data_ptr<Real>());
  for_each_norm_rows(rows, [&](std::int64_t part, std::int64_t row, std::int64_t n) {
    const auto first = row * width;
    kernels::layer_norm_backward(z + first, w, moments + 2 * row, g + first, n, width, out + first,
                                 weights.of(part), biases.of(part));
    if (dropped == out) return;
    kernels::dropout_add<Real>(out + first, nullptr, n * width, rule, first, dropped + first);
  });
  weights.add_up();
  biases.add_up();
}

class Normalize : public Function<Normalize> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const std::optional<at::Tensor>& residual, const at::Tensor& weight,
                            const at::Tensor& bias, double rate, double epsilon, bool keeps) {
    const auto seed = rate > 0 ? dropout_seed() : 0;
    const NormInputs in{x, residual, {static_cast<std::uint64_t>(seed), rate}, epsilon};
    auto y = at::empty_like(x);
    at::Tensor sum, statistics;
    if (keeps) {
      sum = in.is_sum() ? at::empty_like(x) : x;
      statistics = at::empty({x.size(0), 2}, x.options());
    }
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "layer_norm",
                               [&] { run_norm<scalar_t>(in, weight, bias, sum, statistics, y); });
    if (keeps) context->save_for_backward({sum, statistics, weight});
    context->saved_data["seed"] = seed;
    context->saved_data["rate"] = rate;
    context->saved_data["added"] = residual.has_value();
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const DropoutRule rule{static_cast<std::uint64_t>(context->saved_data["seed"].toInt()),
                           context->saved_data["rate"].toDouble()};
    const auto dsum = at::empty_like(saved[0]);
    const auto dx = rule.rate > 0 ? at::empty_like(dsum) : dsum;
    const auto dweight = at::empty_like(saved[2]), dbias = at::empty_like(saved[2]);
    AT_DISPATCH_FLOATING_TYPES(dsum.scalar_type(), "layer_norm_backward", [&] {
      run_norm_backward<scalar_t>(saved, gradients[0].contiguous(), rule, dsum, dx, dweight, dbias);
    });
    return {dx,           context->saved_data["added"].toBool() ? dsum : at::Tensor(),
            dweight,      dbias,
            at::Tensor(), at::Tensor(),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor LayerNorm::forward(const at::Tensor& x, const at::Tensor& residual,
                              double dropout) const {
  TORCH_CHECK(dropout >= 0 && dropout < 1,
              "expected a dropout rate of at least 0 and below 1, got ", dropout);
  TORCH_CHECK(
      x.dim() == 2 && x.size(1) == weight.size(0) && x.scalar_type() == weight.scalar_type(),
      "expected rows [T, ", weight.size(0), "] of the type ", weight.scalar_type(), ", got ",
      x.sizes(), " of the type ", x.scalar_type());
  std::optional<at::Tensor> added;
  if (residual.defined()) {
    TORCH_CHECK(residual.sizes() == x.sizes() && residual.scalar_type() == x.scalar_type(),
                "expected a residual ", x.sizes(), " of the type ", x.scalar_type(), ", got ",
                residual.sizes(), " of the type ", residual.scalar_type());
    added = residual.contiguous();
  }
  return Normalize::apply(x.contiguous(), added, weight, bias, dropout, epsilon,
                          at::GradMode::is_enabled());
}

}  // namespace fastformer::nn
