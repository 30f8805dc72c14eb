#include "fastformer/nn/embedding.h"

#include <algorithm>
#include <stdexcept>

#include "fastformer/nn/dropout.h"

namespace fastformer::nn {
namespace {

at::Tensor to_tensor(std::span<const std::int32_t> ids) {
  auto tensor = at::empty({static_cast<std::int64_t>(ids.size())}, at::kLong);
  std::copy(ids.begin(), ids.end(), tensor.mutable_data_ptr<std::int64_t>());
  return tensor;
}

at::Tensor sorted_unique(const at::Tensor& ids) {
  const auto* first = ids.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> rows(first, first + ids.numel());
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return at::tensor(rows, at::kLong);
}

}  // namespace

std::int64_t bigram_bucket(std::int32_t previous, std::int32_t current, std::int64_t buckets) {
  const std::uint64_t hash = static_cast<std::uint64_t>(previous) * 0x9E3779B97F4A7C15ULL +
                             static_cast<std::uint64_t>(current) * 0xC2B2AE3D27D4EB4FULL;
  return static_cast<std::int64_t>((hash >> 32) % static_cast<std::uint64_t>(buckets));
}

Embedding::Embedding(const EmbeddingOptions& options, ParameterStore& store,
                     const std::string& name)
    : options_(options), name_(name) {
  const auto width = options.width;
  token_ =
      store.normal(name + ".token.weight", {options.vocabulary_size, width}, options.deviation);
  if (options.max_positions > 0) {
    position_ =
        store.normal(name + ".position.weight", {options.max_positions, width}, options.deviation);
  }
  if (options.bigram_buckets > 0) {
    bigram_ = store.normal(name + ".bigram.weight", {options.bigram_buckets, width},
                           options.bigram_deviation);
  }
  if (options.normalization) norm_ = LayerNorm(store, name + ".normalization", options.width);
}

at::Tensor Embedding::buckets(std::span<const std::int32_t> ids, const Offsets& offsets) const {
  auto buckets = at::zeros({static_cast<std::int64_t>(ids.size())}, at::kLong);
  auto* out = buckets.mutable_data_ptr<std::int64_t>();
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    const auto first = offsets.begin_of(b);
    for (std::int64_t i = first + 1; i < first + offsets.length(b); ++i) {
      out[i] = bigram_bucket(ids[i - 1], ids[i], options_.bigram_buckets);
    }
  }
  return buckets;
}

at::Tensor Embedding::bigram_rows(std::span<const std::int32_t> ids, const Offsets& offsets,
                                  bool training) const {
  auto scale = at::ones({offsets.total(), 1}, bigram_.options().requires_grad(false));
  if (training && options_.bigram_dropout > 0) {
    const double kept = 1 - options_.bigram_dropout;
    scale.bernoulli_(kept).div_(kept);
  }
  // The first token of a sequence has no predecessor.
  const auto set_zero = [&](auto* values) {
    for (std::int64_t b = 0; b < offsets.size(); ++b) {
      if (offsets.length(b) > 0) values[offsets.begin_of(b)] = 0;
    }
  };
  if (scale.scalar_type() == at::kDouble) {
    set_zero(scale.mutable_data_ptr<double>());
  } else {
    set_zero(scale.mutable_data_ptr<float>());
  }
  return at::embedding(bigram_, buckets(ids, offsets), -1, false, /*sparse=*/true) * scale;
}

at::Tensor Embedding::position_rows(const Offsets& offsets) const {
  auto positions = at::empty({offsets.total()}, at::kLong);
  auto* out = positions.mutable_data_ptr<std::int64_t>();
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    if (offsets.length(b) > options_.max_positions) {
      throw std::invalid_argument(
          "a document of " + std::to_string(offsets.length(b)) + " tokens is longer than the " +
          std::to_string(options_.max_positions) +
          " positions of the model; set data.max_tokens, or model.max_positions = 0");
    }
    for (std::int64_t i = 0; i < offsets.length(b); ++i) out[offsets.begin_of(b) + i] = i;
  }
  return at::embedding(position_, positions);
}

at::Tensor Embedding::forward(std::span<const std::int32_t> ids, const Offsets& offsets,
                              bool training) const {
  for (const auto id : ids) {
    if (id < 0 || id >= options_.vocabulary_size) {
      throw std::invalid_argument("the token id " + std::to_string(id) +
                                  " lies outside the vocabulary of " +
                                  std::to_string(options_.vocabulary_size) +
                                  " tokens; use the tokenizer that was saved with the model");
    }
  }
  auto x = at::embedding(token_, to_tensor(ids), -1, false, /*sparse=*/true);
  if (bigram_.defined()) x = x + bigram_rows(ids, offsets, training);
  if (position_.defined()) x = x + position_rows(offsets);
  if (norm_) x = norm_.forward(x);
  return training && options_.dropout > 0 ? dropout(x, options_.dropout) : x;
}

std::vector<std::pair<std::string, at::Tensor>> Embedding::touched_rows(
    std::span<const std::int32_t> ids, const Offsets& offsets) const {
  std::vector<std::pair<std::string, at::Tensor>> rows;
  rows.emplace_back(name_ + ".token.weight", sorted_unique(to_tensor(ids)));
  if (bigram_.defined()) {
    rows.emplace_back(name_ + ".bigram.weight", sorted_unique(buckets(ids, offsets)));
  }
  return rows;
}

}  // namespace fastformer::nn
