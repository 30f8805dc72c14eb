#include "fastformer/recommendation/catalogue_content.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace fastformer::recommendation {
namespace {

void check_finite(const at::Tensor& scores) {
  if (at::isfinite(scores).all().item<bool>()) return;
  throw std::invalid_argument("a score is not a number; the model has diverged: train it again");
}

std::span<float> row_of(const at::Tensor& scores, std::int64_t row) {
  const auto size = scores.size(1);
  return {scores.mutable_data_ptr<float>() + row * size, static_cast<std::size_t>(size)};
}

}  // namespace

at::Tensor rows_of(const at::Tensor& vectors, const Numbers& numbers) {
  return vectors.index_select(
      0, at::tensor(std::vector<std::int64_t>(numbers.begin(), numbers.end()), at::kLong));
}

at::Tensor title_scores(const at::Tensor& users, const at::Tensor& items) {
  auto result = at::mm(users, items.t()).to(at::kFloat).contiguous();
  check_finite(result);
  return result;
}

at::Tensor CatalogueContent::scores(const at::Tensor& user, const Numbers& history,
                                    const Numbers& candidates) const {
  auto result = title_scores(user, rows_of(vectors, candidates));
  if (clicks) {
    clicks->apply(row_of(result, 0), history, candidates);
    check_finite(result);
  }
  return result.select(0, 0);
}

at::Tensor CatalogueContent::scores_of_all(const at::Tensor& users,
                                           std::span<const Numbers* const> histories) const {
  auto all = title_scores(users, vectors);
  if (clicks) {
    for (std::size_t u = 0; u < histories.size(); ++u) {
      clicks->apply(row_of(all, static_cast<std::int64_t>(u)), *histories[u]);
    }
    check_finite(all);
  }
  return all;
}

Numbers CatalogueContent::near(const float* user, std::size_t count) const {
  auto found = nearest->search(user, count);
  for (auto& row : found) ++row;  // the graph lacks item 0
  std::sort(found.begin(), found.end());
  if (!clicks) return found;
  Numbers all;
  std::ranges::set_union(found, clicks->known_items(), std::back_inserter(all));
  return all;
}

}  // namespace fastformer::recommendation
