#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "fastformer/kernels/options.h"

namespace fastformer::runtime {

/// Token ids of texts: text b has the ids offsets[b] .. offsets[b + 1] - 1.
struct TokenRows {
  std::span<const std::int32_t> ids;
  std::span<const std::int64_t> offsets;  ///< [B+1]

  std::int64_t size() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
};

/// The attention weights of one text; each [tokens], averaged over the heads.
struct NetworkTrace {
  struct Layer {
    std::vector<double> query_weights, key_weights;  ///< empty if the mixer has none
  };
  std::vector<Layer> layers;
  std::vector<double> pooling_weights;
};

/// The network of a classifier. Immutable; safe to share between threads.
class Network {
 public:
  virtual ~Network() = default;
  virtual std::int64_t width() const = 0;

  /// Logits [B, classes], with options.threads threads. A `trace` that is not null requires exactly
  /// one text.
  virtual std::vector<double> logits(const TokenRows& texts, const Options& options,
                                     NetworkTrace* trace) const = 0;
  /// Vectors [B, width], the input of the last linear layer.
  virtual std::vector<float> vectors(const TokenRows& texts, const Options& options) const = 0;
};

}  // namespace fastformer::runtime
