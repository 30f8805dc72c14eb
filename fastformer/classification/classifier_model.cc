#include "fastformer/classification/classifier_model.h"

#include <c10/core/GradMode.h>

#include <stdexcept>

#include "fastformer/base/model_directory.h"
#include "fastformer/base/printable.h"
#include "fastformer/classification/label_thresholds.h"
#include "fastformer/nn/layers/dropout.h"
#include "fastformer/nn/tensor_file.h"

namespace fastformer::classification {
namespace {

// The section [classifier] of a model's config.json.
struct ClassifierSection {
  std::vector<std::string> labels;
  std::int64_t max_tokens = 0;
  bool multi_label = false;

  void visit_fields(base::FieldVisitor& visit) {
    visit("labels", labels, "classes, in the order of the logits");
    visit("max_tokens", max_tokens, "documents are truncated to this many tokens; 0: no limit",
          base::at_least(0));
    visit("multi_label", multi_label,
          "whether a document has any number of labels, those above the thresholds of "
          "thresholds.json");
  }
  void validate() const {
    if (labels.size() < (multi_label ? 1 : 2)) {
      throw std::invalid_argument("classifier.labels has " + std::to_string(labels.size()) +
                                  " labels, expected at least " + (multi_label ? "one" : "two"));
    }
    std::set<std::string> distinct;
    for (const auto& label : labels) {
      const bool plain = !label.empty() && !base::has_control_characters(label);
      if (plain && distinct.insert(label).second) continue;
      throw std::invalid_argument(
          "classifier.labels contains '" + base::excerpt(label) +
          (plain ? "' twice; labels must be distinct"
                 : "'; labels must not be empty or contain control characters"));
    }
  }
};

}  // namespace

void ModelConfig::visit_fields(base::FieldVisitor& visit) {
  text.visit_fields(visit);
  visit("token_dropout", token_dropout, "fraction of the tokens that are dropped in training",
        base::between(0, 0.99));
}

ModelConfig ModelConfig::read(const base::ConfigTree& tree) {
  return tree.read_preset_section<ModelConfig>("model", [](const ModelConfig& named) {
    return ModelConfig{.text = nn::text_encoder_preset(named.text.preset)};
  });
}

ClassifierModel::ClassifierModel(const ModelConfig& config, std::int64_t vocabulary_size,
                                 std::int64_t classes, std::uint64_t seed, at::ScalarType dtype)
    : ClassifierModel(config, vocabulary_size, classes,
                      nn::ParameterStore(seed, dtype, config.text.initial_deviation)) {}

ClassifierModel::ClassifierModel(const ModelConfig& config, std::int64_t vocabulary_size,
                                 std::int64_t classes, nn::ParameterStore store)
    : config_(config),
      classes_(classes),
      store_(std::move(store)),
      embedding_(config.text.embedding(vocabulary_size), store_, "embedding"),
      encoder_(config.text.encoder, store_, "encoder"),
      pooling_(store_, "pooling", config.text.encoder.width),
      classifier_(store_, "classifier", config.text.encoder.width, classes) {
  store_.finish();
}

at::Tensor ClassifierModel::pool(const data::TokenBatch& batch, bool training,
                                 ClassifierTrace* trace) const {
  auto x = embedding_.forward(batch.ids, nn::Offsets(batch.offsets), training);
  std::vector<std::int64_t> kept;
  if (training && config_.token_dropout > 0) {
    auto tokens = nn::drop_tokens(x, nn::Offsets(batch.offsets), config_.token_dropout);
    x = std::move(tokens.rows);
    kept = std::move(tokens.offsets);
  }
  const nn::Offsets offsets(kept.empty() ? batch.offsets : kept);
  const bool plain = !training && trace == nullptr && !at::GradMode::is_enabled();
  const auto encoded = plain ? encoder_.infer(std::move(x), offsets)
                             : encoder_.forward(std::move(x), offsets, training,
                                                trace != nullptr ? &trace->layers : nullptr);
  const auto pooled = pooling_.forward(encoded, offsets);
  if (trace != nullptr) {
    trace->pooling_weights = pooled.weights;
    trace->encoded = encoded;
  }
  return pooled.vectors;
}

at::Tensor ClassifierModel::forward(const data::TokenBatch& batch, bool training,
                                    ClassifierTrace* trace) const {
  return classifier_.forward(pool(batch, training, trace));
}

at::Tensor ClassifierModel::embed(const data::TokenBatch& batch) const {
  return pool(batch, /*training=*/false, nullptr);
}

std::set<std::string> ClassifierModel::row_sparse_parameters() const {
  std::set<std::string> names = {"embedding.token.weight"};
  if (config_.text.bigram_buckets > 0) names.insert("embedding.bigram.weight");
  if (config_.text.max_positions > 0) names.insert("embedding.position.weight");
  return names;
}

std::vector<std::pair<std::string, at::Tensor>> ClassifierModel::touched_rows(
    const data::TokenBatch& batch) const {
  return embedding_.touched_rows(batch.ids, nn::Offsets(batch.offsets));
}

ClassifierContent ClassifierContent::load(const std::filesystem::path& directory) {
  ClassifierSection section;
  ModelConfig config;
  ClassifierContent content;
  base::read_model_config(directory, kModelKind, {"classifier", "model", "data"},
                          [&](const base::ConfigTree& tree) {
                            tree.read_section("classifier", section);
                            config = ModelConfig::read(tree);
                            tree.read_section("data", content.data_config);
                          });
  content.labels = std::move(section.labels);
  content.max_tokens = config.text.token_limit(section.max_tokens);
  content.tokenizer = text::load_tokenizer(directory);
  content.model = std::make_unique<ClassifierModel>(
      config, content.tokenizer->vocabulary_size(),
      static_cast<std::int64_t>(content.labels.size()),
      nn::ParameterStore::from_file(directory / base::kWeightsFile));
  if (section.multi_label) {
    content.thresholds = load_thresholds(directory / kThresholdsFile, content.labels);
  }
  if (std::filesystem::exists(directory / kLinearFile)) {
    content.linear = LinearPart::load(directory / kLinearFile, content.model->classes());
  }
  return content;
}

void save_classifier(const std::filesystem::path& directory, const ClassifierParts& parts,
                     const std::string& card) {
  base::ConfigTree tree;
  tree.write_section("classifier", ClassifierSection{parts.labels, parts.max_tokens,
                                                     /*multi_label=*/!parts.thresholds.empty()});
  tree.write_section("model", parts.model.config());
  tree.write_section("data", parts.data_config);
  base::write_model_directory(
      directory, kModelKind, tree, card, [&](const std::filesystem::path& fresh) {
        nn::save_tensors(fresh / base::kWeightsFile, parts.model.parameters(), {{"format", "pt"}});
        parts.tokenizer.save(fresh);
        if (parts.linear) parts.linear->save(fresh / kLinearFile);
        if (!parts.thresholds.empty()) {
          save_thresholds(fresh / kThresholdsFile, parts.labels, parts.thresholds);
        }
      });
}

}  // namespace fastformer::classification
