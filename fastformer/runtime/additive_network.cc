#include "fastformer/runtime/additive_network.h"

#include <algorithm>

#include "fastformer/kernels/parallel.h"

namespace fastformer::runtime {
namespace {

// A thread computes texts of about so many tokens at a time, whose rows stay in the L2 cache.
std::int64_t chunk_tokens(std::int64_t width) {
  return std::clamp<std::int64_t>(65536 / width, 128, 1024);
}

struct Chunk {
  std::int64_t first, last;  // texts
};

// Consecutive texts in chunks, of which each text takes one token more than it has, since it also
// takes memory. A text longer than a chunk is a chunk of its own.
std::vector<Chunk> chunks_of(std::span<const std::int64_t> offsets, std::int64_t tokens) {
  std::vector<Chunk> chunks;
  const auto texts = static_cast<std::int64_t>(offsets.size()) - 1;
  for (std::int64_t b = 0; b < texts; ++b) {
    const bool joins =
        !chunks.empty() &&
        offsets[b + 1] - offsets[chunks.back().first] + b - chunks.back().first < tokens;
    if (joins) {
      chunks.back().last = b + 1;
    } else {
      chunks.push_back({b, b + 1});
    }
  }
  return chunks;
}

std::vector<double> mean_over_heads(const std::vector<float>& weights, std::int64_t tokens) {
  if (tokens == 0) return {};
  const auto heads = static_cast<std::int64_t>(weights.size()) / tokens;
  std::vector<double> means(tokens);
  for (std::int64_t i = 0; i < tokens; ++i) {
    for (std::int64_t h = 0; h < heads; ++h) means[i] += weights[i * heads + h];
    means[i] /= static_cast<double>(heads);
  }
  return means;
}

}  // namespace

AdditiveNetwork::AdditiveNetwork(const model::ClassifierConfig& config,
                                 std::int64_t vocabulary_size, std::int64_t classes,
                                 const std::filesystem::path& weights, kernels::Precision precision)
    : file_(weights),
      encoder_(config.text, vocabulary_size, file_,
               kernels::resolve_precision(precision) == kernels::Precision::kBf16
                   ? RowPrecision::kBf16
                   : RowPrecision::kFp32),
      classifier_(LinearWeights(file_, "classifier", config.text.encoder.width, classes)) {
  file_.finish();
}

std::vector<float> AdditiveNetwork::vectors(const TokenRows& texts, const Options& options) const {
  const kernels::ComputeScope scope(options.precision, options.threads);
  const auto d = width();
  std::vector<float> vectors(texts.size() * d);
  const auto tokens = chunk_tokens(d);
  auto chunks = chunks_of(texts.offsets, tokens);
  const auto encode = [&](const Chunk& chunk) {
    thread_local std::vector<std::int64_t> offsets;
    const auto from = texts.offsets[chunk.first];
    offsets.clear();
    for (auto b = chunk.first; b <= chunk.last; ++b) offsets.push_back(texts.offsets[b] - from);
    encoder_.encode(texts.ids.subspan(from, offsets.back()), offsets, &vectors[chunk.first * d]);
  };
  // Threads take chunk after chunk; all of them work on a text that is much longer.
  const auto is_long = [&](const Chunk& chunk) {
    return texts.offsets[chunk.last] - texts.offsets[chunk.first] > 4 * tokens;
  };
  std::vector<Chunk> longs;
  if (kernels::thread_count() > 1) {
    const auto rest = std::stable_partition(chunks.begin(), chunks.end(),
                                            [&](const Chunk& chunk) { return !is_long(chunk); });
    longs.assign(rest, chunks.end());
    chunks.erase(rest, chunks.end());
  }
  kernels::share_items(std::ssize(chunks), [&](std::int64_t i) { encode(chunks[i]); });
  for (const auto& chunk : longs) encode(chunk);
  return vectors;
}

std::vector<double> AdditiveNetwork::logits(const TokenRows& texts, const Options& options,
                                            NetworkTrace* trace) const {
  std::vector<float> documents;
  if (trace == nullptr) {
    documents = vectors(texts, options);
  } else {
    const kernels::ComputeScope scope(options.precision, options.threads);
    documents.resize(texts.size() * width());
    EncoderTrace weights;
    encoder_.encode(texts.ids, texts.offsets, documents.data(), &weights);
    const auto tokens = texts.offsets.back();
    for (const auto& layer : weights.layers) {
      trace->layers.push_back({mean_over_heads(layer.query_weights, tokens),
                               mean_over_heads(layer.key_weights, tokens)});
    }
    trace->pooling_weights = mean_over_heads(weights.pooling_weights, tokens);
  }
  std::vector<float> logits(texts.size() * classifier_.weight.columns());
  classifier_.apply(texts.size(), documents.data(), logits.data());
  return {logits.begin(), logits.end()};
}

}  // namespace fastformer::runtime
