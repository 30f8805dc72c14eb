#include "fastformer/runtime/text_encoder.h"

#include <algorithm>
#include <stdexcept>

#include "fastformer/kernels/activation.h"
#include "fastformer/kernels/row_blocks.h"
#include "fastformer/kernels/row_dots.h"
#include "fastformer/kernels/sequence_pooling.h"

namespace fastformer::runtime {
namespace {

// So many tokens ahead the rows of the tables are on their way to the cache.
constexpr std::int64_t kAhead = 8;

}  // namespace

TextEncoder::TextEncoder(const model::TextEncoderConfig& config, std::int64_t vocabulary_size,
                         model::ParameterFile& file, RowPrecision precision)
    : width_(config.encoder.width),
      vocabulary_size_(vocabulary_size),
      positions_(config.max_positions),
      buckets_(config.bigram_buckets),
      depth_(config.encoder.layers),
      tokens_(file, "embedding.token.weight", {vocabulary_size, width_}) {
  if (positions_ > 0) {
    position_table_ = {file, "embedding.position.weight", {positions_, width_}};
  }
  if (buckets_ > 0) bigrams_ = {file, "embedding.bigram.weight", {buckets_, width_}};
  if (config.embedding_normalization) {
    embedding_norm_ = LayerNorm(file, "embedding.normalization", width_);
  }
  const auto& encoder = config.encoder;
  const auto own_layers =
      encoder.share_layers ? std::min<std::int64_t>(encoder.layers, 1) : encoder.layers;
  for (std::int64_t i = 0; i < own_layers; ++i) {
    layers_.emplace_back(encoder, file, "encoder.layers." + std::to_string(i), precision);
  }
  if (encoder.normalization == model::Normalization::kPre) {
    final_norm_ = LayerNorm(file, "encoder.normalization", width_);
  }
  projection_ = Linear(LinearWeights(file, "pooling.projection", width_, width_, precision));
  logits_ = LinearWeights(file, "pooling.logits", width_, 1);
}

void TextEncoder::check(std::span<const std::int32_t> ids,
                        std::span<const std::int64_t> offsets) const {
  for (const auto id : ids) {
    if (id >= 0 && id < vocabulary_size_) continue;
    throw std::invalid_argument(
        "the token id " + std::to_string(id) + " is outside the vocabulary of " +
        std::to_string(vocabulary_size_) + " tokens; use the tokenizer of the model directory");
  }
  for (std::size_t b = 0; positions_ > 0 && b + 1 < offsets.size(); ++b) {
    const auto length = offsets[b + 1] - offsets[b];
    if (length <= positions_) continue;
    throw std::invalid_argument("a text of " + std::to_string(length) +
                                " tokens is longer than the model's " + std::to_string(positions_) +
                                " positions; truncate it");
  }
}

void TextEncoder::embed(std::span<const std::int32_t> ids, std::span<const std::int64_t> offsets,
                        float* x) const {
  const auto d = width_;
  kernels::for_each_sequence(offsets, [&](std::int64_t, std::int64_t first, std::int64_t n) {
    const auto* id = ids.data() + first;
    const auto bucket = [&](std::int64_t i) {
      return model::bigram_bucket(id[i - 1], id[i], buckets_);
    };
    for (std::int64_t i = -kAhead; i < n; ++i) {
      if (const auto next = i + kAhead; next < n) {
        tokens_.prefetch_row(id[next]);
        if (buckets_ > 0 && next > 0) bigrams_.prefetch_row(bucket(next));
      }
      if (i < 0) continue;
      float* row = x + (first + i) * d;
      std::fill_n(row, d, 0.0F);
      tokens_.add_row(id[i], row);
      if (buckets_ > 0 && i > 0) bigrams_.add_row(bucket(i), row);
      if (positions_ > 0) position_table_.add_row(i, row);
    }
    if (embedding_norm_) embedding_norm_.apply(n, x + first * d, x + first * d);
  });
}

void TextEncoder::encode(std::span<const std::int32_t> ids, std::span<const std::int64_t> offsets,
                         float* vectors, EncoderTrace* trace) const {
  check(ids, offsets);
  const auto d = width_, rows = offsets.back();
  thread_local std::vector<float> rows_buffer, logits_buffer;
  auto* const x = sized(rows_buffer, rows * d);
  auto* const logits = sized(logits_buffer, rows);
  embed(ids, offsets, x);
  for (std::int64_t i = 0; i < depth_; ++i) {
    const auto& layer = layers_[std::min(i, std::ssize(layers_) - 1)];
    layer.run(x, offsets, trace == nullptr ? nullptr : &trace->layers.emplace_back());
  }
  kernels::for_each_row_block(rows, [&](std::int64_t, std::int64_t first, std::int64_t n) {
    float* block = x + first * d;
    if (final_norm_) final_norm_.apply(n, block, block);
    auto* inner = kernels::scratch_of<float>(n * d);
    projection_.apply(n, block, inner);
    activate(kernels::Activation::kTanh, projection_, n, inner);
    kernels::row_dots(inner, logits_.weight.data(), logits_.bias.front(), n, d, logits + first);
  });
  kernels::pool_by_logits(x, offsets, d, logits, vectors);
  if (trace != nullptr) trace->pooling_weights.assign(logits, logits + rows);
  release_if_large(rows_buffer);
}

}  // namespace fastformer::runtime
