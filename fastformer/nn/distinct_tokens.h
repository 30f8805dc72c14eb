#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// The distinct tokens of each document of a batch, and which of them stands at each of its
/// positions: what weights of positions become weights of tokens by.
///
///   for (j < slots(b).size()) mass[slots(b)[j]] += weights[j];   // mass[s] is that of
///   tokens(b)[s]
class DistinctTokens {
 public:
  DistinctTokens() = default;
  DistinctTokens(std::span<const std::int32_t> ids, const Offsets& offsets);

  /// In rising order.
  std::span<const std::int32_t> tokens(std::int64_t document) const;
  /// Of each position of the document, an index into its tokens.
  std::span<const std::int32_t> slots(std::int64_t document) const;

  /// mass [tokens(document).size()] receives the sums of the weights of a document's positions.
  template <class Real>
  void sum(std::int64_t document, const Real* weights, std::vector<Real>& mass) const {
    const auto slot = slots(document);
    mass.assign(tokens(document).size(), Real{0});
    for (std::size_t j = 0; j < slot.size(); ++j) mass[slot[j]] += weights[j];
  }

 private:
  std::vector<std::int32_t> tokens_, slots_;
  std::vector<std::int64_t> token_offsets_, offsets_;
};

}  // namespace fastformer::nn
