#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fastformer::linear {

/// Combines the scores of several classifiers of the same texts in a log-linear pool of their
/// probabilities (Hinton 2002, "Products of Experts"). A pool of one member is temperature scaling
/// (Guo et al. 2017).
///   logits[c] = sum over the members k of coefficient[k] * scores_k[c]
/// A coefficient is the weight of a member divided by its temperature.
struct Pool {
  std::vector<double> coefficients;  ///< [members], none negative

  /// `scores`: [members] of [rows, classes]. Returns logits [rows, classes].
  std::vector<double> logits(const std::vector<std::vector<double>>& scores) const;
};

/// Returns the pool that minimizes the mean cross-entropy of `labels` plus the penalty
///   sum over k of (coefficient[k] / prior[k] - 1)^2 / rows,
/// which limits the influence of a few rows. `scores`: [members] of [rows, classes]. `prior`
/// [members]: all positive. A coefficient that would be negative is 0.
Pool fit_pool(const std::vector<std::vector<double>>& scores, std::span<const std::int32_t> labels,
              std::int64_t classes, std::span<const double> prior);

/// Replaces the logits of one row by their probabilities and returns ln(sum(exp(logit))).
double softmax(std::span<double> row);

/// Mean cross-entropy of logits [rows, classes], in nats.
double cross_entropy(std::span<const double> logits, std::span<const std::int32_t> labels,
                     std::int64_t classes);

}  // namespace fastformer::linear
