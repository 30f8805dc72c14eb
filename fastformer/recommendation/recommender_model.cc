#include "fastformer/recommendation/recommender_model.h"

#include <c10/core/GradMode.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "fastformer/base/model_directory.h"
#include "fastformer/nn/bert/bert_weights.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/recommendation/item_batch.h"
#include "fastformer/recommendation/two_tower.h"

namespace fastformer::recommendation {

namespace {

constexpr const char* kPretrained = "pretrained";

std::variant<nn::Embedding, nn::BertEncoder> make_words(const ModelConfig& config,
                                                        std::int64_t vocabulary_size,
                                                        nn::ParameterStore& store) {
  if (!config.has_pretrained()) {
    return nn::Embedding(config.embedding(vocabulary_size), store, "embedding");
  }
  if (vocabulary_size > config.bert.vocabulary_size) {
    throw std::invalid_argument("the vocabulary has " + std::to_string(vocabulary_size) +
                                " tokens, but the pre-trained encoder in " + config.pretrained +
                                " has " + std::to_string(config.bert.vocabulary_size) +
                                "; use the vocabulary next to its weights");
  }
  return nn::BertEncoder(config.bert, store, kPretrained, {.layers = config.trainable_layers});
}

nn::ParameterStore initial_parameters(const ModelConfig& config, std::uint64_t seed,
                                      at::ScalarType dtype) {
  nn::ParameterStore store(seed, dtype, config.initial_deviation);
  if (config.has_pretrained()) {
    store.read_from(std::string(kPretrained) + ".",
                    std::make_shared<nn::BertWeights>(config.pretrained));
  }
  return store;
}

}  // namespace

RecommenderModel::RecommenderModel(const ModelConfig& config, std::int64_t vocabulary_size,
                                   std::uint64_t seed, at::ScalarType dtype)
    : RecommenderModel(config, vocabulary_size, initial_parameters(config, seed, dtype)) {}

RecommenderModel::RecommenderModel(const ModelConfig& config, std::int64_t vocabulary_size,
                                   nn::ParameterStore store)
    : config_(config),
      store_(std::move(store)),
      words_(make_words(config, vocabulary_size, store_)),
      matcher_(make_matcher(config, store_)) {
  store_.finish();
  for (const auto& [name, tensor] : parameters()) {
    if (tensor.requires_grad()) trained_[name] = tensor;
  }
}

double RecommenderModel::learning_rate_factor(const std::string& parameter) const {
  return parameter.starts_with(std::string(kPretrained) + ".") ? config_.pretrained_factor : 1;
}

at::Tensor RecommenderModel::encode_items(std::span<const std::int32_t> token_ids,
                                          const nn::Offsets& offsets, bool training) const {
  auto rows = std::visit(
      [&](const auto& words) { return words.forward(token_ids, offsets, training); }, words_);
  return matcher_->encode_items(std::move(rows), offsets, training);
}

bool RecommenderModel::has_frozen_rows() const {
  const auto* encoder = std::get_if<nn::BertEncoder>(&words_);
  return encoder != nullptr && encoder->has_frozen_rows();
}

at::Tensor RecommenderModel::frozen_rows(std::span<const std::int32_t> token_ids,
                                         const nn::Offsets& offsets) const {
  if (!has_frozen_rows()) {
    throw std::logic_error(
        "RecommenderModel::frozen_rows: the whole title encoder is trained, so nothing is frozen");
  }
  return std::get<nn::BertEncoder>(words_).frozen_rows(token_ids, offsets);
}

at::Tensor RecommenderModel::score(const at::Tensor& items, const ItemLists& histories,
                                   const ItemLists& candidates) const {
  return matcher_->score(items, histories, candidates, /*training=*/false);
}

at::Tensor RecommenderModel::encode_users(const at::Tensor& items,
                                          const ItemLists& histories) const {
  const auto* towers = dynamic_cast<const TwoTower*>(matcher_.get());
  if (towers == nullptr) {
    throw std::invalid_argument("the model " + std::string(base::word_of(config_.model)) +
                                " has no user vectors; score its candidates instead");
  }
  return towers->encode_users(items, histories, /*training=*/false);
}

at::Tensor RecommenderModel::scores(const ItemBatch& batch, bool training,
                                    const at::Tensor& frozen) const {
  const nn::Offsets titles(batch.token_offsets);
  const auto items = frozen.defined()
                         ? matcher_->encode_items(std::get<nn::BertEncoder>(words_).forward_frozen(
                                                      frozen, titles, training),
                                                  titles, training)
                         : encode_items(batch.token_ids, titles, training);
  return matcher_->score(items, {batch.history, nn::Offsets(batch.history_offsets)},
                         {batch.candidates, nn::Offsets(batch.candidate_offsets)}, training);
}

at::Tensor RecommenderModel::loss(const ItemBatch& batch, bool training,
                                  const at::Tensor& frozen) const {
  const nn::Offsets candidates(batch.candidate_offsets);
  TORCH_CHECK(candidates.size() > 0, "a batch without users has no loss");
  const auto each = candidates.length(0);
  for (std::int64_t b = 0; b < candidates.size(); ++b) {
    TORCH_CHECK(candidates.length(b) == each && each > 0, "user ", b, " has ", candidates.length(b),
                " candidates, but the first has ", each, "; a training batch needs equal numbers");
  }
  const auto logits = scores(batch, training, frozen).view({candidates.size(), each});
  return -at::log_softmax(logits, 1).select(1, 0).mean();
}

std::set<std::string> RecommenderModel::row_sparse_parameters() const {
  // They are the same for every batch, one without titles included.
  std::set<std::string> names;
  for (const auto& [name, rows] : touched_rows({})) names.insert(name);
  return names;
}

std::vector<std::pair<std::string, at::Tensor>> RecommenderModel::touched_rows(
    const ItemBatch& batch) const {
  return std::visit(
      [&](const auto& words) {
        return words.touched_rows(batch.token_ids, nn::Offsets(batch.token_offsets));
      },
      words_);
}

RecommenderContent RecommenderContent::load(const std::filesystem::path& directory) {
  RecommenderContent content;
  ModelConfig config;
  base::read_model_config(directory, kModelKind, {"model", "data", "pretrained"},
                          [&](const base::ConfigTree& tree) {
                            config = ModelConfig::read(tree);
                            tree.read_section("data", content.data_config);
                          });
  content.tokenizer = text::load_tokenizer(directory);
  content.model = std::make_unique<RecommenderModel>(
      config, content.tokenizer->vocabulary_size(),
      nn::ParameterStore::from_file(directory / base::kWeightsFile));
  if (!config.items.members.empty()) {
    content.clicks = std::make_shared<ClickScores>(ClickScores::load(directory));
  }
  return content;
}

void save_recommender(const std::filesystem::path& directory, const DataConfig& data_config,
                      const text::Tokenizer& tokenizer, const RecommenderModel& model,
                      const ClickScores* clicks, const std::string& card) {
  if (model.config().items.members.empty() != (clicks == nullptr)) {
    throw std::invalid_argument(
        "a recommender has click scores if and only if model.items.members is not empty");
  }
  base::ConfigTree tree;
  tree.write_section("model", model.config());
  tree.write_section("data", data_config);
  if (model.config().has_pretrained()) tree.write_section("pretrained", model.config().bert);
  base::write_model_directory(
      directory, kModelKind, tree, card, [&](const std::filesystem::path& fresh) {
        nn::save_tensors(fresh / base::kWeightsFile, model.parameters(), {{"format", "pt"}});
        tokenizer.save(fresh);
        if (clicks != nullptr) clicks->save(fresh);
      });
}

at::Tensor encode_titles(const RecommenderModel& model, const TitleTokens& titles,
                         std::span<const std::int32_t> items) {
  const c10::NoGradGuard no_gradients;
  std::vector<at::Tensor> parts;
  for_each_title_batch(titles, items, [&](const ItemBatch& batch) {
    parts.push_back(model.encode_items(batch.token_ids, nn::Offsets(batch.token_offsets)));
  });
  return at::cat(parts);
}

}  // namespace fastformer::recommendation
