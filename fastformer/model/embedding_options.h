#pragma once

#include <cstdint>

namespace fastformer::model {

/// The embedding of tokens: its tables, and how they are initialized (see nn::Embedding).
struct EmbeddingOptions {
  std::int64_t vocabulary_size = 0;
  std::int64_t width = 256;
  std::int64_t max_positions = 0;   ///< 0: no position embedding
  std::int64_t bigram_buckets = 0;  ///< 0: no bigram embedding
  bool normalization = true;
  double deviation = 0.02;         ///< of the initial token and position embeddings
  double bigram_deviation = 0.02;  ///< of the initial bigram embeddings
  double dropout = 0;              ///< of single elements, while training
  double bigram_dropout = 0;       ///< of whole bigram embeddings, while training
};

/// The bucket of a token pair: a fixed function, part of the model format.
inline std::int64_t bigram_bucket(std::int32_t previous, std::int32_t current,
                                  std::int64_t buckets) {
  const std::uint64_t hash = static_cast<std::uint64_t>(previous) * 0x9E3779B97F4A7C15ULL +
                             static_cast<std::uint64_t>(current) * 0xC2B2AE3D27D4EB4FULL;
  return static_cast<std::int64_t>((hash >> 32) % static_cast<std::uint64_t>(buckets));
}

}  // namespace fastformer::model
