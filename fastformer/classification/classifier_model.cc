#include "fastformer/classification/classifier_model.h"

#include <c10/core/GradMode.h>

#include <memory>
#include <stdexcept>

#include "fastformer/base/model_directory.h"
#include "fastformer/model/label_thresholds.h"
#include "fastformer/nn/bert/bert_weights.h"
#include "fastformer/nn/layers/dropout.h"
#include "fastformer/nn/tensor_file.h"

namespace fastformer::classification {
namespace {

nn::ParameterStore initial_parameters(const model::ClassifierConfig& config, std::uint64_t seed,
                                      at::ScalarType dtype) {
  nn::ParameterStore store(seed, dtype, config.text.initial_deviation);
  if (config.pretrained) {
    store.read_from(kPretrained, std::make_shared<nn::BertWeights>(config.pretrained.folder));
  }
  return store;
}

std::variant<nn::Embedding, PretrainedTokens> make_tokens(const model::ClassifierConfig& config,
                                                          std::int64_t vocabulary_size,
                                                          nn::ParameterStore& store) {
  if (config.pretrained) return PretrainedTokens(config, vocabulary_size, store);
  return nn::Embedding(config.text.embedding(vocabulary_size), store, "embedding");
}

}  // namespace

ClassifierModel::ClassifierModel(const model::ClassifierConfig& config,
                                 std::int64_t vocabulary_size, std::int64_t classes,
                                 std::uint64_t seed, at::ScalarType dtype)
    : ClassifierModel(config, vocabulary_size, classes, initial_parameters(config, seed, dtype)) {}

ClassifierModel::ClassifierModel(const model::ClassifierConfig& config,
                                 std::int64_t vocabulary_size, std::int64_t classes,
                                 nn::ParameterStore store)
    : config_(config),
      classes_(classes),
      store_(std::move(store)),
      tokens_(make_tokens(config, vocabulary_size, store_)),
      encoder_(config.text.encoder, store_, "encoder"),
      pooling_(store_, "pooling", config.text.encoder.width),
      classifier_(store_, "classifier", config.text.encoder.width, classes) {
  store_.finish();
  for (const auto& [name, tensor] : parameters()) {
    if (tensor.requires_grad()) trained_[name] = tensor;
  }
}

TokenVectors ClassifierModel::token_vectors(const data::TokenBatch& batch, bool training,
                                            const at::Tensor& frozen) const {
  const nn::Offsets offsets(batch.offsets);
  const auto* pretrained = std::get_if<PretrainedTokens>(&tokens_);
  auto x = pretrained != nullptr
               ? pretrained->forward(batch.ids, offsets, training, frozen)
               : std::get<nn::Embedding>(tokens_).forward(batch.ids, offsets, training);
  if (!training || config_.token_dropout == 0) return {std::move(x), batch.offsets};
  auto kept = nn::drop_tokens(x, nn::Offsets(batch.offsets), config_.token_dropout);
  return {std::move(kept.rows), std::move(kept.offsets)};
}

at::Tensor ClassifierModel::pool(TokenVectors tokens, bool training, ClassifierTrace* trace) const {
  const nn::Offsets offsets(tokens.offsets);
  const bool plain = !training && trace == nullptr && !at::GradMode::is_enabled();
  const auto encoded = plain ? encoder_.infer(tokens.rows, offsets)
                             : encoder_.forward(std::move(tokens.rows), offsets, training,
                                                trace != nullptr ? &trace->layers : nullptr);
  const auto pooled = pooling_.forward(encoded, offsets);
  if (trace != nullptr) {
    trace->pooling_weights = pooled.weights;
    trace->encoded = encoded;
  }
  return pooled.vectors;
}

at::Tensor ClassifierModel::forward(TokenVectors tokens, bool training,
                                    ClassifierTrace* trace) const {
  return classifier_.forward(pool(std::move(tokens), training, trace));
}

at::Tensor ClassifierModel::forward(const data::TokenBatch& batch, bool training,
                                    ClassifierTrace* trace, const at::Tensor& frozen) const {
  return forward(token_vectors(batch, training, frozen), training, trace);
}

bool ClassifierModel::has_frozen_rows() const {
  const auto* pretrained = std::get_if<PretrainedTokens>(&tokens_);
  return pretrained != nullptr && pretrained->has_frozen_rows();
}

const PretrainedTokens& ClassifierModel::with_frozen_rows() const {
  if (!has_frozen_rows()) {
    throw std::logic_error("ClassifierModel::frozen_rows: the model has no frozen layers");
  }
  return std::get<PretrainedTokens>(tokens_);
}

at::Tensor ClassifierModel::frozen_rows(const data::TokenBatch& batch) const {
  return with_frozen_rows().frozen_rows(batch.ids, nn::Offsets(batch.offsets));
}

std::int64_t ClassifierModel::frozen_rows_of(std::int64_t length) const {
  return nn::rows_in_chunks(length, with_frozen_rows().chunks());
}

at::Tensor ClassifierModel::embed(const data::TokenBatch& batch) const {
  return pool(token_vectors(batch, /*training=*/false), /*training=*/false, nullptr);
}

std::set<std::string> ClassifierModel::row_sparse_parameters() const {
  std::set<std::string> names;
  if (config_.pretrained) {
    for (const auto& [name, tensor] : trained_) {
      if (name.starts_with(std::string(kPretrained) + "embeddings.") && tensor.dim() == 2) {
        names.insert(name);
      }
    }
    return names;
  }
  names.insert("embedding.token.weight");
  if (config_.text.bigram_buckets > 0) names.insert("embedding.bigram.weight");
  if (config_.text.max_positions > 0) names.insert("embedding.position.weight");
  return names;
}

std::vector<std::pair<std::string, at::Tensor>> ClassifierModel::touched_rows(
    const data::TokenBatch& batch) const {
  return std::visit(
      [&](const auto& tokens) {
        return tokens.touched_rows(batch.ids, nn::Offsets(batch.offsets));
      },
      tokens_);
}

ClassifierContent ClassifierContent::load(const std::filesystem::path& directory) {
  ClassifierContent content;
  auto loaded = runtime::ClassifierDirectory::load(directory, [&](const base::ConfigTree& tree) {
    tree.read_section("data", content.data_config);
  });
  static_cast<runtime::ClassifierFrame&>(content) = std::move(loaded.frame);
  content.model = std::make_unique<ClassifierModel>(
      loaded.config, content.tokenizer->vocabulary_size(), std::ssize(content.labels),
      nn::ParameterStore::from_file(directory / base::kWeightsFile));
  return content;
}

void save_classifier(const std::filesystem::path& directory, const ClassifierParts& parts,
                     const std::string& card,
                     const std::function<void(const std::filesystem::path&)>& write_weights) {
  base::ConfigTree tree;
  tree.write_section("classifier",
                     model::ClassifierLabels{.labels = parts.labels,
                                             .max_tokens = parts.max_tokens,
                                             .multi_label = !parts.thresholds.empty(),
                                             .linear_members = parts.linear.has_value()});
  tree.write_section("model", parts.model.config());
  const auto& pretrained = parts.model.config().pretrained;
  if (pretrained) tree.write_section("pretrained", pretrained.bert);
  tree.write_section("data", parts.data_config);
  base::write_model_directory(
      directory, model::kClassifierKind, tree, card, [&](const std::filesystem::path& fresh) {
        const auto weights = fresh / base::kWeightsFile;
        if (write_weights) {
          write_weights(weights);
        } else {
          nn::save_tensors(weights, parts.model.parameters(), {{"format", "pt"}});
        }
        parts.tokenizer.save(fresh);
        if (parts.linear) parts.linear->without_unused().save(fresh / linear::kLinearFile);
        if (!parts.thresholds.empty()) {
          model::save_thresholds(fresh / model::kThresholdsFile, parts.labels, parts.thresholds);
        }
      });
}

}  // namespace fastformer::classification
