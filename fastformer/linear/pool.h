#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fastformer::linear {

/// Combines the scores of several classifiers of the same texts, which is a log-linear pool of
/// their probabilities (Hinton 2002, "Products of Experts"; with one member it is temperature
/// scaling, Guo et al. 2017):
///   logits[c] = sum over the members k of coefficient[k] * scores_k[c]
/// A coefficient is the weight of a member divided by its temperature.
struct Pool {
  std::vector<double> coefficients;  ///< [members], none negative

  /// `scores`: [members] of [rows, classes]. Returns logits [rows, classes].
  std::vector<double> logits(const std::vector<std::vector<double>>& scores) const;
};

/// The pool with the smallest mean cross-entropy of `labels` plus the penalty
///   sum over k of (coefficient[k] / prior[k] - 1)^2 / rows,
/// which keeps a few rows from deciding much. `prior`: all positive. Members whose coefficient
/// would be negative get 0.
Pool fit_pool(const std::vector<std::vector<double>>& scores, std::span<const std::int32_t> labels,
              std::int64_t classes, std::span<const double> prior);

/// Puts the probabilities in place of the logits of one row, and returns ln(sum(exp(logit))).
double softmax(std::span<double> row);

/// Mean cross-entropy in nats of logits [rows, classes].
double cross_entropy(std::span<const double> logits, std::span<const std::int32_t> labels,
                     std::int64_t classes);

}  // namespace fastformer::linear
