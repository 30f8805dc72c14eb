#include "fastformer/recommendation/collaborative/item_weights.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <tuple>

namespace fastformer::recommendation {

at::Tensor ease_weights(const at::Tensor& co_clicks, double lambda) {
  if (!(lambda > 0)) {
    throw std::invalid_argument("EASE needs lambda > 0, got " + std::to_string(lambda));
  }
  auto regularized = co_clicks.clone();
  regularized.diagonal().add_(lambda);
  auto factor = at::linalg_cholesky(regularized);
  regularized.reset();
  auto weights = at::cholesky_inverse(factor);
  factor.reset();
  weights.mul_(weights.diagonal().reciprocal().neg().unsqueeze(0));
  weights.fill_diagonal_(0);
  return weights;
}

at::Tensor neighbour_weights(const at::Tensor& co_clicks, std::int64_t neighbours) {
  const auto norm = co_clicks.diagonal().clamp_min(1).rsqrt();
  auto similarity = co_clicks * norm.unsqueeze(0) * norm.unsqueeze(1);
  similarity.fill_diagonal_(0);
  const auto kept = std::min(neighbours, similarity.size(0));
  if (kept == similarity.size(0)) return similarity;
  const auto best = at::topk(similarity, kept, /*dim=*/0);
  return at::zeros_like(similarity).scatter(0, std::get<1>(best), std::get<0>(best));
}

}  // namespace fastformer::recommendation
