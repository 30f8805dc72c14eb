#include "fastformer/tasks/recommender.h"

#include <stdexcept>

#include "fastformer/tasks/two_tower.h"

namespace fastformer::tasks {

Recommender::Recommender(const RecommenderConfig& config, std::int64_t vocabulary_size,
                         std::uint64_t seed, at::ScalarType dtype)
    : config_(config),
      store_(seed, dtype, config.initial_deviation),
      embedding_(config.embedding(vocabulary_size), store_, "embedding"),
      matcher_(make_matcher(config, store_)) {}

at::Tensor Recommender::encode_news(std::span<const std::int32_t> token_ids,
                                    const nn::Offsets& offsets, bool training) const {
  return matcher_->encode_news(embedding_.forward(token_ids, offsets, training), offsets, training);
}

at::Tensor Recommender::score(const at::Tensor& news, const NewsLists& histories,
                              const NewsLists& candidates) const {
  return matcher_->score(news, histories, candidates, /*training=*/false);
}

at::Tensor Recommender::encode_users(const at::Tensor& news, const NewsLists& histories) const {
  const auto* towers = dynamic_cast<const TwoTower*>(matcher_.get());
  if (towers == nullptr) {
    throw std::invalid_argument("the model " + config_.model +
                                " has no vectors of users; score its candidates instead");
  }
  return towers->encode_users(news, histories, /*training=*/false);
}

at::Tensor Recommender::scores(const NewsBatch& batch, bool training) const {
  const auto news = encode_news(batch.token_ids, nn::Offsets(batch.token_offsets), training);
  return matcher_->score(news, {batch.history, nn::Offsets(batch.history_offsets)},
                         {batch.candidates, nn::Offsets(batch.candidate_offsets)}, training);
}

at::Tensor Recommender::loss(const NewsBatch& batch, bool training) const {
  const nn::Offsets candidates(batch.candidate_offsets);
  TORCH_CHECK(candidates.size() > 0, "a batch without users has no loss");
  const auto each = candidates.length(0);
  for (std::int64_t b = 0; b < candidates.size(); ++b) {
    TORCH_CHECK(candidates.length(b) == each && each > 0, "user ", b, " has ", candidates.length(b),
                " candidates, the first has ", each, "; a training batch needs equally many");
  }
  const auto logits = scores(batch, training).view({candidates.size(), each});
  return -at::log_softmax(logits, 1).select(1, 0).mean();
}

std::set<std::string> Recommender::row_sparse_parameters() const {
  std::set<std::string> names = {"embedding.token.weight"};
  if (config_.max_positions > 0) names.insert("embedding.position.weight");
  return names;
}

std::vector<std::pair<std::string, at::Tensor>> Recommender::touched_rows(
    const NewsBatch& batch) const {
  return embedding_.touched_rows(batch.token_ids, nn::Offsets(batch.token_offsets));
}

}  // namespace fastformer::tasks
