#include "fastformer/nn/attention_weights.h"

#include <c10/core/GradMode.h>

#include <cmath>

namespace fastformer::nn {

at::Tensor attention_weights(const at::Tensor& query, const at::Tensor& key, std::int64_t heads) {
  TORCH_CHECK(query.dim() == 2 && key.dim() == 2 && query.size(1) == key.size(1) &&
                  query.size(1) % heads == 0,
              "expected a query [T, d] and keys [S, d] of ", heads, " heads, got ", query.sizes(),
              " and ", key.sizes());
  const c10::NoGradGuard no_gradients;
  const auto width = query.size(1) / heads;
  const auto scale = 1 / std::sqrt(static_cast<double>(width));
  auto sum = at::zeros({query.size(0), key.size(0)}, query.options());
  for (std::int64_t head = 0; head < heads; ++head) {
    const auto part = [&](const at::Tensor& rows) { return rows.narrow(1, head * width, width); };
    sum += at::softmax(at::mm(part(query), part(key).t()) * scale, 1);
  }
  return sum / heads;
}

}  // namespace fastformer::nn
