#include "fastformer/recommendation/matcher.h"

#include <algorithm>
#include <string>

#include "fastformer/recommendation/fine_matcher.h"
#include "fastformer/recommendation/two_tower.h"

namespace fastformer::recommendation {
at::Tensor select_rows(const at::Tensor& items, std::span<const std::int64_t> rows) {
  auto index = at::empty({static_cast<std::int64_t>(rows.size())}, at::kLong);
  std::copy(rows.begin(), rows.end(), index.mutable_data_ptr<std::int64_t>());
  return items.index_select(0, index);
}

std::unique_ptr<ItemMatcher> make_matcher(const ModelConfig& config, nn::ParameterStore& store) {
  if (config.model == ModelKind::kFim) return std::make_unique<FineMatcher>(config, store);
  return std::make_unique<TwoTower>(config, store);
}

}  // namespace fastformer::recommendation
