#include "fastformer/nn/bert/bert_encoder.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "fastformer/nn/bert/bert_weights.h"
#include "fastformer/nn/layers/dropout.h"
#include "fastformer/nn/layers/feed_forward.h"
#include "fastformer/nn/layers/lookup.h"
#include "fastformer/nn/mixers/row_attention.h"

namespace fastformer::nn {

namespace {

constexpr std::int64_t kDroppedRows = 4096;  // limits the memory of the weights of one product

// Sequences of equal length, whose attention is one product.
struct EqualLengths {
  std::int64_t length = 0;
  std::int64_t sequences = 0;
};

// The sequences of a batch by their length, as `groups` of the rows `order`.
struct ByLength {
  std::vector<EqualLengths> groups;
  std::vector<std::int64_t> order;  // [T] rows
};

ByLength by_length(const Offsets& offsets) {
  std::vector<std::int64_t> sequences(static_cast<std::size_t>(offsets.size()));
  std::iota(sequences.begin(), sequences.end(), std::int64_t{0});
  std::ranges::stable_sort(sequences, {}, [&](std::int64_t b) { return offsets.length(b); });
  ByLength result;
  result.order.reserve(static_cast<std::size_t>(offsets.total()));
  for (const auto b : sequences) {
    const auto length = offsets.length(b);
    if (length == 0) continue;
    auto& groups = result.groups;
    if (groups.empty() || groups.back().length != length ||
        (groups.back().sequences + 1) * length > kDroppedRows) {
      groups.push_back({length, 0});
    }
    ++groups.back().sequences;
    for (std::int64_t i = 0; i < length; ++i) result.order.push_back(offsets.begin_of(b) + i);
  }
  return result;
}

// [s n, d] -> [s, h, n, e]
at::Tensor heads_of(const at::Tensor& rows, const EqualLengths& group, std::int64_t heads) {
  return rows.view({group.sequences, group.length, heads, rows.size(1) / heads}).transpose(1, 2);
}

at::Tensor attend_group(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                        const EqualLengths& group, std::int64_t heads, double rate) {
  const double scale = 1 / std::sqrt(static_cast<double>(query.size(1) / heads));
  const auto logits = at::matmul(heads_of(query, group, heads) * scale,
                                 heads_of(key, group, heads).transpose(2, 3));
  const auto kept = dropout(at::softmax(logits, 3), rate);
  return at::matmul(kept, heads_of(value, group, heads)).transpose(1, 2).reshape(query.sizes());
}

}  // namespace

at::Tensor attend_with_dropout(const at::Tensor& query, const at::Tensor& key,
                               const at::Tensor& value, std::int64_t heads, const Offsets& offsets,
                               double rate) {
  check_rows(query, offsets);
  TORCH_CHECK(key.sizes() == query.sizes() && value.sizes() == query.sizes(),
              "expected keys and values ", query.sizes(), ", got ", key.sizes(), " and ",
              value.sizes());
  TORCH_CHECK(query.size(1) % heads == 0, "expected a multiple of ", heads, " columns, got ",
              query.size(1));
  const auto [groups, rows] = by_length(offsets);
  if (groups.empty()) return at::zeros_like(query);
  std::vector<std::int64_t> lengths;
  for (const auto& group : groups) lengths.push_back(group.sequences * group.length);
  const auto order = at::tensor(rows, at::kLong);
  // Its backward pass joins the parts once; that of a slice would fill a whole batch.
  const auto parts = [&](const at::Tensor& x) {
    return x.index_select(0, order).split_with_sizes(lengths);
  };
  const auto queries = parts(query), keys = parts(key), values = parts(value);
  std::vector<at::Tensor> outputs;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    outputs.push_back(attend_group(queries[i], keys[i], values[i], groups[i], heads, rate));
  }
  return at::cat(outputs).index_select(0, order.argsort());
}

namespace {

constexpr const char* kPositionTable = "embeddings.position_embeddings.weight";
constexpr const char* kTypeTable = "embeddings.token_type_embeddings.weight";

std::string layer_name(std::int64_t layer) { return "encoder.layer." + std::to_string(layer); }

}  // namespace

BertLayer::BertLayer(const model::BertConfig& config, ParameterStore& store,
                     const std::string& name)
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

BertEncoder::BertEncoder(const model::BertConfig& config, ParameterStore& store,
                         const std::string& name, FineTuning tuning)
    : config_(config),
      prefix_(name.empty() ? name : name + "."),
      tunes_embeddings_(tuning.layers == FineTuning::kEverything),
      first_tuned_(tunes_embeddings_ ? 0 : config.layers - tuning.layers) {
  if (tuning.layers < FineTuning::kEverything || first_tuned_ < 0) {
    throw std::invalid_argument(
        "cannot tune " + std::to_string(tuning.layers) + " layers of an encoder that has " +
        std::to_string(config.layers) +
        "; expected 0 to the number of layers, or -1 for all layers and the embeddings");
  }
  const auto width = config.width;
  token_ = store.normal(prefix_ + kBertTokenTable, {config.vocabulary_size, width});
  position_ = store.normal(prefix_ + kPositionTable, {config.max_positions, width});
  if (config.token_types > 0) {
    type_ = store.normal(prefix_ + kTypeTable, {config.token_types, width});
  }
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

at::Tensor BertEncoder::embed(std::span<const std::int32_t> ids, const Offsets& offsets,
                              bool training) const {
  const auto tokens = token_indices(ids, config_.vocabulary_size);
  const auto positions = position_indices(offsets, config_.max_positions, "truncate it");
  std::vector<Lookup> lookups = {{token_, tokens, {}}, {position_, positions, {}}};
  if (type_.defined()) lookups.push_back({type_, at::zeros_like(tokens), {}});
  const auto y = norm_.forward(sum_of_rows(lookups));
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
    throw std::logic_error(
        "BertEncoder::frozen_rows: all layers and the embeddings are trained, so nothing is "
        "frozen");
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
  std::vector<std::pair<std::string, at::Tensor>> rows = {
      {prefix_ + kBertTokenTable, touched_tokens(ids)},
      {prefix_ + kPositionTable, touched_positions(offsets, config_.max_positions)}};
  if (type_.defined()) {
    rows.emplace_back(prefix_ + kTypeTable, at::zeros({ids.empty() ? 0 : 1}, at::kLong));
  }
  return rows;
}

}  // namespace fastformer::nn
