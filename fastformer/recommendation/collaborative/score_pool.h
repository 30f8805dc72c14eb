#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fastformer::recommendation {

/// The scores of K systems for the candidates of impressions.
struct PoolScores {
  std::size_t systems = 0;                 ///< K
  std::vector<double> scores;              ///< [C, K]
  std::vector<std::uint8_t> clicked;       ///< [C]
  std::vector<std::size_t> offsets = {0};  ///< [I + 1], the candidates of impression i begin there
};

/// The weights of systems, and the loss with them.
struct PoolWeights {
  std::vector<double> weights;  ///< [K], at least 0
  double loss = 0;
};

/// The weights w [K] that minimize the mean over the clicks of
///   -log softmax of the click's sum over k of w_k s_k over the click and the unclicked candidates
/// plus a small ridge on the weights of scores with deviation 1 within impressions. The loss is
/// convex; Newton's method. A system whose weight would be negative, which is possible if others
/// say the same, gets 0, and the others are fitted again. Impressions without a click or without an
/// unclicked candidate are skipped. Throws std::invalid_argument if none is left, and for a score
/// that is not finite.
PoolWeights pool_weights(const PoolScores& pool);

}  // namespace fastformer::recommendation
