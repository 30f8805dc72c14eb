#include "fastformer/train/optimizer/adam_history.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace fastformer::train {
namespace {

// Up to this gap, repeating the steps is cheaper than the series.
constexpr std::int64_t kShortGap = 4;
// A power this small would only make subnormal numbers, which are slow and move no weight.
constexpr double kNegligiblePower = 1e-30;
// Limits the memory of the tables of powers.
constexpr double kLongestCutoff = 100000;

double power(double base, std::int64_t exponent) {
  const double value = std::pow(base, static_cast<double>(exponent));
  return value < kNegligiblePower ? 0.0 : value;
}

}  // namespace

void check_learning_rate(double learning_rate, double weight_decay) {
  if (!std::isfinite(learning_rate) || learning_rate < 0) {
    throw std::invalid_argument("Adam: the learning rate is " + std::to_string(learning_rate) +
                                "; expected a finite number of 0 or more");
  }
  if (learning_rate * weight_decay >= 1) {
    throw std::invalid_argument(
        "Adam: learning rate times weight decay is " +
        std::to_string(learning_rate * weight_decay) +
        "; expected less than 1, or the weights would change sign: lower one of the two");
  }
}

AdamHistory::AdamHistory(kernels::AdamConstants constants, double weight_decay,
                         ReplayPrecision precision)
    : constants_(constants), weight_decay_(weight_decay), precision_(precision) {
  const double root_beta2 = std::sqrt(constants.beta2);
  if (constants.beta1 >= root_beta2) return;
  const double shrinking = std::log(constants.beta1 / root_beta2);
  const double count = std::max(1.0, std::ceil(std::log(precision.cutoff) / shrinking));
  if (count > kLongestCutoff) return;
  cutoff_ = static_cast<std::int64_t>(count);
  for (std::int64_t k = 0; k <= cutoff_; ++k) {
    beta1_powers_.push_back(std::pow(constants.beta1, static_cast<double>(k)));
    root_beta2_powers_.push_back(std::pow(root_beta2, static_cast<double>(k)));
  }
}

void AdamHistory::append(double learning_rate) {
  check_learning_rate(learning_rate, weight_decay_);
  const auto t = static_cast<double>(size() + 1);
  steps_.push_back({.size = learning_rate / (1 - std::pow(constants_.beta1, t)),
                    .root = 1 / std::sqrt(1 - std::pow(constants_.beta2, t)),
                    .decay = 1 - learning_rate * weight_decay_});
  log_decay_.push_back(log_decay_.back() + std::log1p(-learning_rate * weight_decay_));
}

void AdamHistory::clear() {
  steps_.clear();
  log_decay_.assign(1, 0.0);
}

const kernels::AdamStep& AdamHistory::step(std::int64_t number) const {
  return steps_.at(static_cast<std::size_t>(number - 1));
}

ReplayPlan AdamHistory::plan(std::int64_t from) const {
  const std::int64_t gap = size() - from;
  const std::int64_t moving = std::min(gap, cutoff_);
  const auto one_by_one =
      std::span(steps_).subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(moving));
  if (gap <= kShortGap || cutoff_ == kNoCutoff) {
    // A cutoff below kShortGap (beta1 near 0) drops moves here that are 0 up to rounding.
    return {std::span(steps_).subspan(static_cast<std::size_t>(from)), false, {}};
  }
  kernels::ReplaySeries series = scales(from);
  if (add_moves(from, from + moving, series)) return {{}, true, series};
  if (moving == gap) return {one_by_one, false, {}};
  return {one_by_one, true, scales(from + moving)};
}

// Moments and decay without any move.
kernels::ReplaySeries AdamHistory::scales(std::int64_t from) const {
  kernels::ReplaySeries series;
  series.decay = std::exp(log_decay_.back() - log_decay_[static_cast<std::size_t>(from)]);
  series.first_scale = power(constants_.beta1, size() - from);
  series.second_scale = power(constants_.beta2, size() - from);
  series.epsilon = constants_.epsilon;
  return series;
}

// Fills center and coefficients with the moves of the steps from + 1 .. end; false where the series
// would not be accurate enough.
bool AdamHistory::add_moves(std::int64_t from, std::int64_t end,
                            kernels::ReplaySeries& series) const {
  const auto first = static_cast<std::size_t>(from);
  const auto count = static_cast<std::size_t>(end - from);
  std::vector<double> weights(count);
  std::vector<double> roots(count);
  double total = 0;
  double weighted_root = 0;
  // A move shrinks with every decay that follows it, hence from the last to the first.
  double decay = std::exp(log_decay_.back() - log_decay_[first + count]);
  for (std::size_t i = count; i-- > 0;) {
    const kernels::AdamStep& step = steps_[first + i];
    weights[i] = step.size * beta1_powers_[i + 1] * decay;
    roots[i] = step.root * root_beta2_powers_[i + 1];
    total += weights[i];
    weighted_root += weights[i] * roots[i];
    decay *= step.decay;
  }
  if (total == 0) return true;

  series.center = weighted_root / total;
  double missed = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double offset = (series.center - roots[i]) / series.center;
    double term = weights[i];
    for (double& coefficient : series.coefficients) {
      coefficient += term;
      term *= offset;
    }
    missed += std::abs(term);
  }
  return missed <= precision_.series * total;
}

}  // namespace fastformer::train
