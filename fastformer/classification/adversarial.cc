#include "fastformer/classification/adversarial.h"

#include <c10/core/GradMode.h>

#include <cstdint>
#include <limits>

namespace fastformer::classification {

at::Tensor adversarial_change(const at::Tensor& x, const at::Tensor& gradient,
                              const nn::Offsets& offsets, double size) {
  const at::NoGradGuard no_gradient;
  const auto change = at::empty_like(x);
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    const auto rows_of = [&](const at::Tensor& all) {
      return all.narrow(0, offsets.begin_of(b), offsets.length(b));
    };
    const auto g = rows_of(gradient);
    const auto length = g.norm().clamp_min(std::numeric_limits<float>::min());
    rows_of(change).copy_(g * (size * rows_of(x).norm() / length));
  }
  return change;
}

double adversarial_backward(const ClassifierModel& model, const data::TokenBatch& texts,
                            double size,
                            const std::function<at::Tensor(const at::Tensor& logits)>& loss) {
  const auto tokens = model.token_vectors(texts, /*training=*/true);
  // A leaf collects the gradients of both passes; the tables then need one pass.
  const auto x = tokens.rows.detach().requires_grad_();
  const auto pass = [&](const at::Tensor& rows) {
    const auto half = loss(model.forward({rows, tokens.offsets}, /*training=*/true)) / 2;
    half.backward();
    return half.item<double>();
  };
  const double plain = pass(x);
  const auto change = adversarial_change(x, x.grad(), nn::Offsets(tokens.offsets), size);
  const double changed = pass(x + change);
  tokens.rows.backward(x.grad());
  return plain + changed;
}

}  // namespace fastformer::classification
