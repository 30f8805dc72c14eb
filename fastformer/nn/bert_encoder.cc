#include "fastformer/nn/bert_encoder.h"

#include <c10/core/GradMode.h>

#include <stdexcept>

#include "fastformer/nn/bert_file.h"
#include "fastformer/nn/dropout.h"
#include "fastformer/nn/dropped_attention.h"
#include "fastformer/nn/feed_forward.h"
#include "fastformer/nn/projections.h"
#include "fastformer/nn/row_attention.h"
#include "fastformer/nn/sum_of_rows.h"
#include "fastformer/nn/token_indices.h"

namespace fastformer::nn {
namespace {

constexpr const char* kTokenTable = "embeddings.word_embeddings.weight";
constexpr const char* kPositionTable = "embeddings.position_embeddings.weight";
constexpr const char* kTypeTable = "embeddings.token_type_embeddings.weight";

std::string layer_name(std::int64_t layer) { return "encoder.layer." + std::to_string(layer); }

}  // namespace

BertLayer::BertLayer(const BertConfig& config, ParameterStore& store, const std::string& name)
    : config_(config),
      query_(store, name + ".attention.self.query", config.width, config.width),
      key_(store, name + ".attention.self.key", config.width, config.width),
      value_(store, name + ".attention.self.value", config.width, config.width),
      attention_output_(store, name + ".attention.output.dense", config.width, config.width),
      inner_(store, name + ".intermediate.dense", config.width, config.ffn_width),
      output_(store, name + ".output.dense", config.ffn_width, config.width),
      attention_norm_(store, name + ".attention.output.LayerNorm", config.width, config.epsilon),
      output_norm_(store, name + ".output.LayerNorm", config.width, config.epsilon) {}

at::Tensor BertLayer::forward(const at::Tensor& x, const Offsets& offsets, bool training) const {
  const double rate = training ? config_.dropout : 0;
  const double attention_rate = training ? config_.attention_dropout : 0;
  const auto parts = project(x, {query_, key_, value_});
  const auto mixed =
      attention_rate > 0
          ? attend_with_dropout(parts[0], parts[1], parts[2], config_.heads, offsets,
                                attention_rate)
          : attend_rows(parts[0], parts[1], parts[2], config_.heads, offsets, offsets);
  const auto y = attention_norm_.forward(attention_output_.forward(mixed), x, rate);
  return output_norm_.forward(feed_forward(y, inner_, output_, config_.activation), y, rate);
}

BertEncoder::BertEncoder(const BertConfig& config, ParameterStore& store, const std::string& name,
                         FineTuning tuning)
    : config_(config),
      prefix_(name.empty() ? name : name + "."),
      tunes_embeddings_(tuning.layers == FineTuning::kEverything),
      first_tuned_(tunes_embeddings_ ? 0 : config.layers - tuning.layers) {
  if (tuning.layers < FineTuning::kEverything || first_tuned_ < 0) {
    throw std::invalid_argument("cannot tune " + std::to_string(tuning.layers) +
                                " layers of an encoder that has " + std::to_string(config.layers) +
                                "; expected a number from 0 to that, or -1 for everything");
  }
  const auto width = config.width;
  token_ = store.normal(prefix_ + kTokenTable, {config.vocabulary_size, width});
  position_ = store.normal(prefix_ + kPositionTable, {config.max_positions, width});
  type_ = store.normal(prefix_ + kTypeTable, {config.token_types, width});
  norm_ = LayerNorm(store, prefix_ + "embeddings.LayerNorm", width, config.epsilon);
  for (std::int64_t i = 0; i < config.layers; ++i) {
    layers_.emplace_back(config, store, prefix_ + layer_name(i));
  }
  const auto learns = [&](const std::string& parameter) {
    if (tunes_embeddings_) return true;
    for (auto i = first_tuned_; i < config.layers; ++i) {
      if (parameter.starts_with(layer_name(i) + ".")) return true;
    }
    return false;
  };
  for (const auto& [parameter, tensor] : store.parameters()) {
    if (!parameter.starts_with(prefix_)) continue;
    const auto own = parameter.substr(prefix_.size());
    if (!own.starts_with("embeddings.") && !own.starts_with("encoder.layer.")) continue;
    tensor.requires_grad_(learns(own));
    parameters_[own] = tensor;
  }
}

std::vector<std::string> BertEncoder::load(const std::filesystem::path& path) const {
  return load_bert(path, parameters_);
}

at::Tensor BertEncoder::embed(std::span<const std::int32_t> ids, const Offsets& offsets,
                              bool training) const {
  const auto tokens = token_indices(ids, config_.vocabulary_size);
  const auto positions =
      position_indices(offsets, config_.max_positions, "cut it when it is tokenized");
  const auto x = sum_of_rows(
      {{token_, tokens, {}}, {position_, positions, {}}, {type_, at::zeros_like(tokens), {}}});
  const auto y = norm_.forward(x);
  return training && config_.dropout > 0 ? dropout(y, config_.dropout) : y;
}

at::Tensor BertEncoder::forward(std::span<const std::int32_t> ids, const Offsets& offsets,
                                bool training) const {
  return forward_frozen(
      tunes_embeddings_ ? embed(ids, offsets, training) : frozen_rows(ids, offsets), offsets,
      training);
}

at::Tensor BertEncoder::frozen_rows(std::span<const std::int32_t> ids,
                                    const Offsets& offsets) const {
  if (tunes_embeddings_) {
    throw std::logic_error("BertEncoder::frozen_rows: everything learns, the embeddings as well");
  }
  const c10::NoGradGuard no_gradient;
  auto x = embed(ids, offsets, /*training=*/false);
  for (std::int64_t i = 0; i < first_tuned_; ++i) {
    x = layers_[i].forward(x, offsets, /*training=*/false);
  }
  return x;
}

at::Tensor BertEncoder::forward_frozen(at::Tensor rows, const Offsets& offsets,
                                       bool training) const {
  for (auto i = first_tuned_; i < config_.layers; ++i) {
    rows = layers_[i].forward(rows, offsets, training);
  }
  return rows;
}

std::vector<std::pair<std::string, at::Tensor>> BertEncoder::touched_rows(
    std::span<const std::int32_t> ids, const Offsets& offsets) const {
  if (!tunes_embeddings_) return {};
  return {{prefix_ + kTokenTable, touched_tokens(ids)},
          {prefix_ + kPositionTable, touched_positions(offsets, config_.max_positions)},
          {prefix_ + kTypeTable, at::zeros({ids.empty() ? 0 : 1}, at::kLong)}};
}

}  // namespace fastformer::nn
