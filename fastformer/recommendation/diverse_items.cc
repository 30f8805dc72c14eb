#include "fastformer/recommendation/diverse_items.h"

#include <algorithm>
#include <cstdint>

namespace fastformer::recommendation {

std::vector<std::size_t> diverse_items(const at::Tensor& vectors, std::span<const float> scores,
                                       std::size_t top, double diversity) {
  std::vector<std::size_t> chosen;
  if (scores.empty()) return chosen;
  const auto [least, most] = std::ranges::minmax(scores);
  const double range = most > least ? most - least : 1;
  // A vector of zeros is similar to none.
  const auto units = vectors / vectors.norm(2, {1}, /*keepdim=*/true).clamp_min(1e-12);
  std::vector<double> similarity(scores.size(), -1);
  std::vector<bool> taken(scores.size());
  while (chosen.size() < std::min(top, scores.size())) {
    std::size_t best = scores.size();
    double largest = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (taken[i]) continue;
      const double closest = chosen.empty() ? 0 : similarity[i];
      const double value = (1 - diversity) * (scores[i] - least) / range - diversity * closest;
      if (best < scores.size() && value <= largest) continue;
      best = i;
      largest = value;
    }
    taken[best] = true;
    chosen.push_back(best);
    const auto cosines = at::mv(units, units.select(0, static_cast<std::int64_t>(best)))
                             .to(at::kDouble)
                             .contiguous();
    const auto* cosine = cosines.const_data_ptr<double>();
    for (std::size_t i = 0; i < scores.size(); ++i) {
      similarity[i] = std::max(similarity[i], cosine[i]);
    }
  }
  return chosen;
}

}  // namespace fastformer::recommendation
