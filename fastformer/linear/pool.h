#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/linear/targets.h"

namespace fastformer::linear {

/// Combines the scores of several classifiers of the same texts in a log-linear pool of their
/// probabilities (Hinton 2002, "Products of Experts"). A pool of one member is temperature scaling
/// (Guo et al. 2017).
///   logits[c] = bias + sum over the members k of coefficient[k] * scores_k[c]
/// A coefficient is the weight of a member divided by its temperature. The bias, common to all
/// labels, is for labels that do not exclude each other, whose probabilities are those of the
/// sigmoid; for classes it is 0.
struct Pool {
  std::vector<double> coefficients;  ///< [members], none negative
  double bias = 0;

  /// `scores`: [members] of [rows, classes]. Returns logits [rows, classes].
  std::vector<double> logits(const std::vector<std::vector<double>>& scores) const;
};

/// Returns the pool that minimizes the mean cross-entropy of the targets plus the penalty
///   (bias^2 + sum over k of (coefficient[k] / prior[k] - 1)^2) / rows,
/// which limits the influence of a few rows. `scores`: [members] of [rows, classes]. `prior`
/// [members]: all positive. A coefficient that would be negative is 0.
Pool fit_pool(const std::vector<std::vector<double>>& scores, const Targets& targets,
              std::span<const double> prior);

/// Replaces the logits of one row by their probabilities and returns ln(sum(exp(logit))).
double softmax(std::span<double> row);
double sigmoid(double logit);

/// Cross-entropy of the logits [classes] of one text, in nats: of the softmax for its class, or the
/// sum over all labels of that of the sigmoid.
double cross_entropy_of(std::span<const double> logits, std::span<const std::int32_t> labels,
                        bool several);
/// Mean cross-entropy of logits [rows, classes], in nats.
double cross_entropy(std::span<const double> logits, const Targets& targets);

}  // namespace fastformer::linear
