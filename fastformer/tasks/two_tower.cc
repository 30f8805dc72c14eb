#include "fastformer/tasks/two_tower.h"

#include <utility>

#include "fastformer/nn/ragged_ops.h"

namespace fastformer::tasks {

TwoTower::TwoTower(const RecommenderConfig& config, nn::ParameterStore& store)
    : width_(config.encoder.width),
      news_{nn::Encoder(config.encoder, store, "news.encoder"),
            nn::AdditivePooling(store, "news.pooling", width_, config.query_width)},
      user_{nn::Encoder(config.user(), store, "user.encoder"),
            nn::AdditivePooling(store, "user.pooling", width_, config.query_width)} {}

at::Tensor TwoTower::Tower::forward(at::Tensor x, const nn::Offsets& offsets, bool training) const {
  const bool plain = !training && !at::GradMode::is_enabled();
  const auto encoded = plain ? encoder.infer(std::move(x), offsets)
                             : encoder.forward(std::move(x), offsets, training, nullptr);
  return pooling.forward(encoded, offsets).vectors;
}

at::Tensor TwoTower::encode_news(at::Tensor x, const nn::Offsets& offsets, bool training) const {
  return news_.forward(std::move(x), offsets, training);
}

at::Tensor TwoTower::encode_users(const at::Tensor& news, const NewsLists& histories,
                                  bool training) const {
  return user_.forward(select_rows(news, histories.rows), histories.offsets, training);
}

at::Tensor TwoTower::score(const at::Tensor& news, const NewsLists& histories,
                           const NewsLists& candidates, bool training) const {
  const auto users = encode_users(news, histories, training);
  return (nn::expand_rows(users, candidates.offsets) * select_rows(news, candidates.rows)).sum(1);
}

}  // namespace fastformer::tasks
