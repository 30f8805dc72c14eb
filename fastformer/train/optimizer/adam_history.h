#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "fastformer/kernels/adam_kernel.h"

namespace fastformer::train {

/// Accuracy of replaying skipped steps; both are relative to the movement of a weight.
struct ReplayPrecision {
  double cutoff = 1e-10;  ///< share of the movement that may be dropped at the end
  double series = 1e-9;   ///< largest error of the series

  static constexpr ReplayPrecision for_float() { return {1e-10, 1e-9}; }
  static constexpr ReplayPrecision for_double() { return {1e-18, 1e-15}; }
};

/// How weights catch up after steps without a gradient: first `steps`, one by one, then `series`,
/// one after another, each of which stands for many steps.
struct ReplayPlan {
  std::span<const kernels::AdamStep> steps;  ///< points into the history; invalid after append()
  std::vector<kernels::ReplaySeries> series;
};

/// Throws std::invalid_argument for a learning rate that is negative, not finite, or so large that
/// learning_rate * weight_decay reaches 1.
void check_learning_rate(double learning_rate, double weight_decay);

/// The history of Adam's steps, which shows how weights that skipped steps catch up.
///
///   AdamHistory history({0.9, 0.999, 1e-8}, 0.0, ReplayPrecision::for_float());
///   history.append(1e-3);                      // step 1
///   const ReplayPlan plan = history.plan(0);   // for rows that were last touched at step 0
///
/// Without a gradient, m and v only shrink, so after step t0 a weight moves at step t0 + k by
///   size_s beta1^k m / (h_s sqrt(v) + epsilon),  h_s = beta2^(k/2) root_s,  s = t0 + k.
/// Two facts make this cheap:
/// 1. The moves shrink as (beta1 / sqrt(beta2))^k, by default 0.9005^k, for all m and v. After the
///    K steps that bring this below `cutoff` (220 for float), the weight no longer moves; only its
///    decay continues, as one product.
/// 2. h_s hardly changes over a few consecutive steps, except at the start of training. With
///    c = center, a mean of their h_s, D = c sqrt(v) + epsilon and x = c sqrt(v) / D <= 1,
///      1 / (h_s sqrt(v) + epsilon) = 1/D sum_j (-x (h_s - c) / c)^j,
///    so all their moves together are m / D times one polynomial in x, whose coefficients are the
///    same for all weights. The K steps are divided into segments, each as long as its error bound
///    allows; the errors add up to at most `series`, relative to the movement. For float, one
///    segment suffices for beta2 = 0.999, and a few do for 0.99. A later segment may be longer,
///    since less of the movement is left.
/// Gaps of up to four steps are taken one by one. So are all steps up to one around which even four
/// steps are no accurate segment, and all steps if beta1^2 >= beta2, when the moves need not
/// shrink, or K is above 100,000.
class AdamHistory {
 public:
  AdamHistory(kernels::AdamConstants constants, double weight_decay, ReplayPrecision precision);

  /// Appends a step. Throws as check_learning_rate() does.
  void append(double learning_rate);
  void clear();

  /// Number of steps so far.
  std::int64_t size() const { return static_cast<std::int64_t>(steps_.size()); }
  /// The values of step `number`, counted from 1.
  const kernels::AdamStep& step(std::int64_t number) const;

  /// The plan that brings weights last updated at step `from` (0: never, so that their moments are
  /// 0) to step size().
  ReplayPlan plan(std::int64_t from) const;

 private:
  static constexpr std::int64_t kNoCutoff = std::numeric_limits<std::int64_t>::max();

  struct Segment;
  Segment segment(std::int64_t from, std::int64_t moves, std::int64_t to) const;
  Segment late_segment(std::int64_t moves) const;
  std::int64_t longest_segment(std::int64_t begin, double movement) const;
  double remaining_share(std::int64_t steps) const;
  double allowed_error(std::size_t segment_index) const;

  kernels::AdamConstants constants_;
  double weight_decay_;
  ReplayPrecision precision_;
  std::int64_t cutoff_ = kNoCutoff;        ///< K above
  std::vector<double> beta1_powers_;       ///< beta1^k for k up to K
  std::vector<double> root_beta2_powers_;  ///< beta2^(k/2)
  std::vector<std::int64_t> lengths_;      ///< of the segments, late in training; their sum is K

  std::vector<kernels::AdamStep> steps_;
  std::vector<double> log_decay_ = {0.0};  ///< sum of log(decay) over the first steps
};

}  // namespace fastformer::train
