#include "fastformer/recommendation/two_tower.h"

#include <c10/core/GradMode.h>

#include <utility>

#include "fastformer/nn/layers/ragged_ops.h"

namespace fastformer::recommendation {

at::Tensor match_vectors(const at::Tensor& users, const at::Tensor& items,
                         const ItemLists& candidates) {
  return (nn::expand_rows(users, candidates.offsets) * select_rows(items, candidates.rows)).sum(1);
}

TwoTower::TwoTower(const ModelConfig& config, nn::ParameterStore& store)
    : items_(item_tower(config, store)),
      user_{nn::Encoder(config.user_encoder(), store, "user.encoder"),
            nn::AdditivePooling(store, "user.pooling", config.encoder.width, config.query_width)} {
  const auto words = config.word_width(), width = config.encoder.width;
  // Without a bias, so that a title without words remains zero.
  if (words != width) projection_ = store.normal("news.projection.weight", {width, words});
}

TwoTower::Tower TwoTower::item_tower(const ModelConfig& config, nn::ParameterStore& store) {
  std::optional<nn::Encoder> encoder;
  if (!config.has_pretrained()) encoder.emplace(config.encoder, store, "news.encoder");
  return {std::move(encoder),
          nn::AdditivePooling(store, "news.pooling", config.word_width(), config.query_width)};
}

at::Tensor TwoTower::Tower::forward(at::Tensor x, const nn::Offsets& offsets, bool training) const {
  const bool plain = !training && !at::GradMode::is_enabled();
  if (encoder) {
    x = plain ? encoder->infer(x, offsets)
              : encoder->forward(std::move(x), offsets, training, nullptr);
  }
  return pooling.forward(x, offsets).vectors;
}

at::Tensor TwoTower::encode_items(at::Tensor x, const nn::Offsets& offsets, bool training) const {
  const auto vectors = items_.forward(std::move(x), offsets, training);
  return projection_.defined() ? nn::affine(vectors, projection_) : vectors;
}

at::Tensor TwoTower::encode_users(const at::Tensor& items, const ItemLists& histories,
                                  bool training) const {
  return user_.forward(select_rows(items, histories.rows), histories.offsets, training);
}

at::Tensor TwoTower::score(const at::Tensor& items, const ItemLists& histories,
                           const ItemLists& candidates, bool training) const {
  return match_vectors(encode_users(items, histories, training), items, candidates);
}

}  // namespace fastformer::recommendation
