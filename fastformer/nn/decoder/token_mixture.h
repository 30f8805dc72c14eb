#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// The distinct tokens of each document of a batch, and the index of each position's token among
/// them. They turn weights of positions into weights of tokens, mass[s] for tokens(b)[s]:
///
///   for (j < slots(b).size()) mass[slots(b)[j]] += weights[j];
class DistinctTokens {
 public:
  DistinctTokens() = default;
  DistinctTokens(std::span<const std::int32_t> ids, const Offsets& offsets);

  /// The distinct tokens in ascending order.
  std::span<const std::int32_t> tokens(std::int64_t document) const;
  /// For each position of the document, the index of its token in tokens().
  std::span<const std::int32_t> slots(std::int64_t document) const;

  /// Sets mass [tokens(document).size()] to the sums of the weights [positions] of a document.
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

/// log(sigmoid(x)), without overflow
inline double log_sigmoid(double x) {
  return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x)));
}

/// log(exp(a) + exp(b)) without overflow; b must be finite
inline double log_sum(double a, double b) {
  return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
}

/// The copy distribution C of a row: the distinct tokens of the document and their mass, [U] each.
template <class Real>
struct CopiedTokens {
  std::span<const std::int32_t> tokens;
  std::span<const Real> mass;
};

/// log P [V] -> log p in place: p(w) = g P(w) + (1 - g) C(w), g = sigmoid(gate), or 1 without C.
template <class Real>
void mix_copied(const CopiedTokens<Real>& copied, double gate, Real* log_p,
                std::int64_t vocabulary) {
  if (copied.tokens.empty()) return;
  const double log_g = log_sigmoid(gate), log_c = log_sigmoid(-gate);
  for (std::int64_t w = 0; w < vocabulary; ++w) log_p[w] += static_cast<Real>(log_g);
  for (std::size_t u = 0; u < copied.tokens.size(); ++u) {
    if (copied.mass[u] <= 0) continue;
    auto& value = log_p[copied.tokens[u]];
    value =
        static_cast<Real>(log_sum(value, log_c + std::log(static_cast<double>(copied.mass[u]))));
  }
}

/// The target distribution of a row: q(w) = (1 - smoothing) [w = token] + smoothing / V.
struct SmoothedTarget {
  std::int32_t token;
  double smoothing;
  std::int64_t vocabulary;

  double spread() const { return smoothing / static_cast<double>(vocabulary); }
  double of(std::int32_t w) const { return spread() + (w == token ? 1 - smoothing : 0); }
};

/// The effect of copying on L = - sum over w of q(w) log p(w), for the mixture p of mix_copied().
template <class Real>
struct MixtureLoss {
  double loss = 0;           ///< L minus the loss of P alone
  double generated = 1;      ///< sum over w of q(w) g P(w) / p(w)
  double gate = 0;           ///< dL/dgate
  std::vector<Real> shares;  ///< [U], q(w) (1 - g) C(w) / p(w)
};

/// Computes the above from log P [V]. With s(w) = q(w) (1 - g) C(w) / p(w) and Q = 1 - sum of s:
///   dL/dz(w) = P(w) Q - q(w) + s(w) for the logits z of P,   dL/dgate = g - Q,
///   dL/dl_j = a_j (1 - Q - s(w_j) / C(w_j))   for the logits l_j of the copy weights a_j.
template <class Real>
void add_copied(const CopiedTokens<Real>& copied, double gate, const SmoothedTarget& target,
                const Real* log_p, MixtureLoss<Real>& result) {
  result.loss = 0;
  result.generated = 1;
  result.gate = 0;
  result.shares.assign(copied.tokens.size(), Real{0});
  if (copied.tokens.empty()) return;
  const double log_g = log_sigmoid(gate), log_c = log_sigmoid(-gate);
  result.loss = -log_g;
  for (std::size_t u = 0; u < copied.tokens.size(); ++u) {
    const auto token = copied.tokens[u];
    const double q = target.of(token);
    if (q == 0 || copied.mass[u] <= 0) continue;
    const double generated = log_g + static_cast<double>(log_p[token]);
    const double copy = log_c + std::log(static_cast<double>(copied.mass[u]));
    const double both = log_sum(generated, copy), share = q * std::exp(copy - both);
    result.loss -= q * (both - generated);
    result.generated -= share;
    result.shares[u] = static_cast<Real>(share);
  }
  result.gate = std::exp(log_g) - result.generated;
}

}  // namespace fastformer::nn
