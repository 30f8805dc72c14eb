#include "fastformer/nn/layers/feed_forward.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "fastformer/kernels/row_blocks.h"

namespace fastformer::nn {
namespace {

using kernels::Activation;
using kernels::Operands;
using kernels::Transpose;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Sizes and number format of one block.
struct FeedForwardShape {
  std::int64_t in, inner, out;
  Activation activation;
  Operands operands;
};

// inner [T, f] receives W1 x + b1 where it is defined.
template <class Real>
void run_feed_forward(const FeedForwardShape& s, const at::Tensor& x, const variable_list& weights,
                      const at::Tensor& inner, const at::Tensor& y) {
  const auto* w1 = weights[0].const_data_ptr<Real>();
  const auto* b1 = weights[1].const_data_ptr<Real>();
  const auto* w2 = weights[2].const_data_ptr<Real>();
  const auto* b2 = weights[3].const_data_ptr<Real>();
  const auto* rows = x.const_data_ptr<Real>();
  auto* kept = inner.defined() ? inner.mutable_data_ptr<Real>() : nullptr;
  auto* out = y.mutable_data_ptr<Real>();
  kernels::for_each_row_block(x.size(0), [&](std::int64_t, std::int64_t first, std::int64_t n) {
    auto* active = kernels::scratch_of<Real>(kernels::kBlockRows * s.inner);
    auto* h = kept == nullptr ? active : kept + first * s.inner;
    kernels::gemm(Transpose::kNo, Transpose::kYes, n, s.inner, s.in, rows + first * s.in, s.in, w1,
                  s.in, {.row = b1}, h, s.inner, s.operands);
    kernels::activate(s.activation, h, n * s.inner, active);
    kernels::gemm(Transpose::kNo, Transpose::kYes, n, s.out, s.inner, active, s.inner, w2, s.inner,
                  {.row = b2}, out + first * s.out, s.out, s.operands);
  });
}

// saved: x, inner, W1, W2; gradients: of x, W1, b1, W2, b2.
template <class Real>
void run_feed_forward_backward(const FeedForwardShape& s, const variable_list& saved,
                               const at::Tensor& gradient, const variable_list& gradients) {
  const auto *x = saved[0].const_data_ptr<Real>(), *inner = saved[1].const_data_ptr<Real>();
  const auto *w1 = saved[2].const_data_ptr<Real>(), *w2 = saved[3].const_data_ptr<Real>();
  const auto* g = gradient.const_data_ptr<Real>();
  auto* dx = gradients[0].mutable_data_ptr<Real>();
  const auto parts = kernels::parts_of(kernels::row_blocks(saved[0].size(0)));
  const auto sums = [&](int i) {
    return kernels::PartialSums<Real>(parts, gradients[i].numel(),
                                      gradients[i].mutable_data_ptr<Real>());
  };
  auto dw1 = sums(1), db1 = sums(2), dw2 = sums(3), db2 = sums(4);
  kernels::for_each_row_block(saved[0].size(0), [&](std::int64_t part, std::int64_t first,
                                                    std::int64_t n) {
    auto* active = kernels::scratch_of<Real>(2 * kernels::kBlockRows * s.inner);
    auto* dinner = active + kernels::kBlockRows * s.inner;
    const auto *block = x + first * s.in, *gy = g + first * s.out;
    kernels::gemm(Transpose::kNo, Transpose::kNo, n, s.inner, s.out, gy, s.out, w2, s.inner, {},
                  dinner, s.inner, s.operands);
    kernels::activate_backward(s.activation, inner + first * s.inner, n * s.inner, active, dinner);
    kernels::gemm(Transpose::kNo, Transpose::kNo, n, s.in, s.inner, dinner, s.inner, w1, s.in, {},
                  dx + first * s.in, s.in, s.operands);
    kernels::gemm(Transpose::kYes, Transpose::kNo, s.out, s.inner, n, gy, s.out, active, s.inner,
                  {.keep = true}, dw2.of(part), s.inner, s.operands);
    kernels::gemm(Transpose::kYes, Transpose::kNo, s.inner, s.in, n, dinner, s.inner, block, s.in,
                  {.keep = true}, dw1.of(part), s.in, s.operands);
    kernels::add_rows(gy, n, s.out, db2.of(part));
    kernels::add_rows(dinner, n, s.inner, db1.of(part));
  });
  for (auto* sum : {&dw1, &db1, &dw2, &db2}) sum->add_up();
}

class FeedForward : public Function<FeedForward> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in, const at::Tensor& w1,
                            const at::Tensor& b1, const at::Tensor& w2, const at::Tensor& b2,
                            std::int64_t activation, bool keeps) {
    const auto x = x_in.contiguous();
    const FeedForwardShape shape{x.size(1), w1.size(0), w2.size(0),
                                 static_cast<Activation>(activation), kernels::token_operands()};
    auto y = at::empty({x.size(0), shape.out}, x.options());
    const auto inner = keeps ? at::empty({x.size(0), shape.inner}, x.options()) : at::Tensor();
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "feed_forward", [&] {
      run_feed_forward<scalar_t>(shape, x, {w1, b1, w2, b2}, inner, y);
    });
    if (keeps) context->save_for_backward({x, inner, w1, w2});
    context->saved_data["activation"] = activation;
    context->saved_data["rounding"] = static_cast<std::int64_t>(shape.operands);
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& incoming) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &w1 = saved[2], &w2 = saved[3];
    const FeedForwardShape shape{x.size(1), w1.size(0), w2.size(0),
                                 static_cast<Activation>(context->saved_data["activation"].toInt()),
                                 static_cast<Operands>(context->saved_data["rounding"].toInt())};
    const variable_list gradients = {at::empty_like(x), at::empty_like(w1),
                                     at::empty({shape.inner}, x.options()), at::empty_like(w2),
                                     at::empty({shape.out}, x.options())};
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "feed_forward_backward", [&] {
      run_feed_forward_backward<scalar_t>(shape, saved, incoming[0].contiguous(), gradients);
    });
    return {gradients[0], gradients[1], gradients[2], gradients[3],
            gradients[4], at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor feed_forward(const at::Tensor& x, const Linear& input, const Linear& output,
                        Activation activation) {
  TORCH_CHECK(x.dim() == 2 && x.size(1) == input.weight.size(1), "expected x [T, ",
              input.weight.size(1), "], got ", x.sizes());
  TORCH_CHECK(output.weight.size(1) == input.weight.size(0), "expected an output weight [e, ",
              input.weight.size(0), "], got ", output.weight.sizes());
  TORCH_CHECK(x.scalar_type() == input.weight.scalar_type(), "expected x of the type ",
              input.weight.scalar_type(), ", got ", x.scalar_type());
  return FeedForward::apply(x, input.weight, input.bias, output.weight, output.bias,
                            static_cast<std::int64_t>(activation), at::GradMode::is_enabled());
}

}  // namespace fastformer::nn
