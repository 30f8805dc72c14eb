#include "fastformer/tasks/news_matcher.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastformer/base/suggest.h"
#include "fastformer/tasks/fine_matcher.h"
#include "fastformer/tasks/two_tower.h"

namespace fastformer::tasks {
namespace {

template <class T>
std::unique_ptr<NewsMatcher> make(const RecommenderConfig& config, nn::ParameterStore& store) {
  return std::make_unique<T>(config, store);
}

struct Row {
  const char* name;
  std::unique_ptr<NewsMatcher> (*make)(const RecommenderConfig&, nn::ParameterStore&);
};

constexpr std::array kMatchers = {Row{"fastformer", make<TwoTower>}, Row{"fim", make<FineMatcher>},
                                  Row{"nrms", make<TwoTower>}, Row{"plm_nr", make<TwoTower>},
                                  Row{"fastformer_plm_nr", make<TwoTower>}};

}  // namespace

at::Tensor select_rows(const at::Tensor& news, std::span<const std::int64_t> rows) {
  auto index = at::empty({static_cast<std::int64_t>(rows.size())}, at::kLong);
  std::copy(rows.begin(), rows.end(), index.mutable_data_ptr<std::int64_t>());
  return news.index_select(0, index);
}

std::unique_ptr<NewsMatcher> make_matcher(const RecommenderConfig& config,
                                          nn::ParameterStore& store) {
  std::vector<std::string> names;
  for (const auto& row : kMatchers) {
    if (config.model == row.name) return row.make(config, store);
    names.emplace_back(row.name);
  }
  throw std::invalid_argument("model.model is '" + config.model + "'" +
                              base::suggestion(config.model, names));
}

}  // namespace fastformer::tasks
