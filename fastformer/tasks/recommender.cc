#include "fastformer/tasks/recommender.h"

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "fastformer/tasks/two_tower.h"

namespace fastformer::tasks {
namespace {

constexpr const char* kPretrained = "pretrained";

std::variant<nn::Embedding, nn::BertEncoder> make_words(const RecommenderConfig& config,
                                                        std::int64_t vocabulary_size,
                                                        nn::ParameterStore& store) {
  if (!config.has_pretrained()) {
    return nn::Embedding(config.embedding(vocabulary_size), store, "embedding");
  }
  if (vocabulary_size > config.bert.vocabulary_size) {
    throw std::invalid_argument("the vocabulary has " + std::to_string(vocabulary_size) +
                                " tokens, the pre-trained encoder in " + config.pretrained +
                                " knows " + std::to_string(config.bert.vocabulary_size) +
                                "; use the vocab.txt beside its weights");
  }
  return nn::BertEncoder(config.bert, store, kPretrained, {.layers = config.trainable_layers});
}

}  // namespace

Recommender::Recommender(const RecommenderConfig& config, std::int64_t vocabulary_size,
                         std::uint64_t seed, at::ScalarType dtype)
    : config_(config),
      store_(seed, dtype, config.initial_deviation),
      words_(make_words(config, vocabulary_size, store_)),
      matcher_(make_matcher(config, store_)) {
  for (const auto& [name, tensor] : parameters()) {
    if (tensor.requires_grad()) trained_[name] = tensor;
  }
}

void Recommender::load_pretrained() const {
  if (const auto* encoder = std::get_if<nn::BertEncoder>(&words_)) {
    encoder->load(std::filesystem::path(config_.pretrained) / "model.safetensors");
  }
}

double Recommender::learning_rate_factor(const std::string& parameter) const {
  return parameter.starts_with(std::string(kPretrained) + ".") ? config_.pretrained_factor : 1;
}

at::Tensor Recommender::encode_news(std::span<const std::int32_t> token_ids,
                                    const nn::Offsets& offsets, bool training) const {
  auto rows = std::visit(
      [&](const auto& words) { return words.forward(token_ids, offsets, training); }, words_);
  return matcher_->encode_news(std::move(rows), offsets, training);
}

bool Recommender::has_frozen_rows() const {
  const auto* encoder = std::get_if<nn::BertEncoder>(&words_);
  return encoder != nullptr && encoder->has_frozen_rows();
}

at::Tensor Recommender::frozen_rows(std::span<const std::int32_t> token_ids,
                                    const nn::Offsets& offsets) const {
  if (!has_frozen_rows()) {
    throw std::logic_error("Recommender::frozen_rows: all that reads the titles learns");
  }
  return std::get<nn::BertEncoder>(words_).frozen_rows(token_ids, offsets);
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

at::Tensor Recommender::scores(const NewsBatch& batch, bool training,
                               const at::Tensor& frozen) const {
  const nn::Offsets titles(batch.token_offsets);
  const auto news = frozen.defined()
                        ? matcher_->encode_news(std::get<nn::BertEncoder>(words_).forward_frozen(
                                                    frozen, titles, training),
                                                titles, training)
                        : encode_news(batch.token_ids, titles, training);
  return matcher_->score(news, {batch.history, nn::Offsets(batch.history_offsets)},
                         {batch.candidates, nn::Offsets(batch.candidate_offsets)}, training);
}

at::Tensor Recommender::loss(const NewsBatch& batch, bool training,
                             const at::Tensor& frozen) const {
  const nn::Offsets candidates(batch.candidate_offsets);
  TORCH_CHECK(candidates.size() > 0, "a batch without users has no loss");
  const auto each = candidates.length(0);
  for (std::int64_t b = 0; b < candidates.size(); ++b) {
    TORCH_CHECK(candidates.length(b) == each && each > 0, "user ", b, " has ", candidates.length(b),
                " candidates, the first has ", each, "; a training batch needs equally many");
  }
  const auto logits = scores(batch, training, frozen).view({candidates.size(), each});
  return -at::log_softmax(logits, 1).select(1, 0).mean();
}

std::set<std::string> Recommender::row_sparse_parameters() const {
  // They are the same for every batch, one without titles included.
  std::set<std::string> names;
  for (const auto& [name, rows] : touched_rows({})) names.insert(name);
  return names;
}

std::vector<std::pair<std::string, at::Tensor>> Recommender::touched_rows(
    const NewsBatch& batch) const {
  return std::visit(
      [&](const auto& words) {
        return words.touched_rows(batch.token_ids, nn::Offsets(batch.token_offsets));
      },
      words_);
}

}  // namespace fastformer::tasks
