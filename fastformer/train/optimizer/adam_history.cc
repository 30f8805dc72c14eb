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

// A series with the movement of a weight with m = sqrt(v) = 1 and epsilon = 0, and a bound of its
// error.
struct AdamHistory::Segment {
  kernels::ReplaySeries series;
  double movement = 0, error = 0;

  // `weights` and `roots`: the sizes of the moves and the h_s, with m = v = 1 before the first.
  void set_moves(const std::vector<double>& weights, const std::vector<double>& roots) {
    double total = 0, weighted_root = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      total += weights[i];
      weighted_root += weights[i] * roots[i];
    }
    if (total == 0) return;
    series.center = weighted_root / total;
    double missed = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double offset = (series.center - roots[i]) / series.center;
      double term = weights[i];
      for (double& coefficient : series.coefficients) {
        coefficient += term;
        term *= offset;
      }
      // All further terms: a geometric series, whose sum is term / (1 - x offset).
      missed += std::abs(term) * std::max(1.0, series.center / roots[i]);
    }
    movement = total / series.center;
    error = missed / series.center;
  }
};

AdamHistory::AdamHistory(kernels::AdamConstants constants, double weight_decay,
                         ReplayPrecision precision)
    : constants_(constants), weight_decay_(weight_decay), precision_(precision) {
  const double root_beta2 = std::sqrt(constants.beta2);
  if (constants.beta1 >= root_beta2) return;
  const double log_shrinking = std::log(constants.beta1 / root_beta2);
  const double count = std::max(1.0, std::ceil(std::log(precision.cutoff) / log_shrinking));
  if (count > kLongestCutoff) return;
  cutoff_ = static_cast<std::int64_t>(count);
  for (std::int64_t k = 0; k <= cutoff_; ++k) {
    beta1_powers_.push_back(std::pow(constants.beta1, static_cast<double>(k)));
    root_beta2_powers_.push_back(std::pow(root_beta2, static_cast<double>(k)));
  }
  double movement = 0;
  for (std::int64_t begin = 0; begin < cutoff_; begin += lengths_.back()) {
    lengths_.push_back(longest_segment(begin, movement));
    if (begin == 0) movement = late_segment(lengths_.back()).movement;
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

// The share of the movement that is left after some steps.
double AdamHistory::remaining_share(std::int64_t steps) const {
  const auto k = static_cast<std::size_t>(steps);
  return beta1_powers_[k] / root_beta2_powers_[k];
}

// The error that a segment may have, relative to the movement. The sum over all segments is
// `series`.
double AdamHistory::allowed_error(std::size_t segment_index) const {
  return precision_.series * std::pow(0.5, static_cast<double>(segment_index + 1));
}

// A segment late in training, where the coefficients of the steps hardly change.
AdamHistory::Segment AdamHistory::late_segment(std::int64_t moves) const {
  const auto end = moves + 1;
  Segment result;
  result.set_moves({beta1_powers_.begin() + 1, beta1_powers_.begin() + end},
                   {root_beta2_powers_.begin() + 1, root_beta2_powers_.begin() + end});
  return result;
}

// The length of the next segment after `begin` steps of K. `movement`: of the first segment. Leaves
// half of the allowed error to steps whose coefficients change.
std::int64_t AdamHistory::longest_segment(std::int64_t begin, double movement) const {
  const auto fits = [&](std::int64_t moves) {
    const auto late = late_segment(moves);
    const double whole = begin == 0 ? late.movement : movement;
    return remaining_share(begin) * late.error <= allowed_error(lengths_.size()) / 2 * whole;
  };
  const auto most = cutoff_ - begin;
  std::int64_t least = 1, beyond = std::min<std::int64_t>(2, most + 1);
  while (beyond <= most && fits(beyond)) {
    least = beyond;
    beyond = std::min(2 * beyond, most + 1);
  }
  while (least + 1 < beyond) {
    const auto middle = (least + beyond) / 2;
    (fits(middle) ? least : beyond) = middle;
  }
  return least;
}

// The series of the steps from + 1 .. to, of which the first `moves` move the weight.
AdamHistory::Segment AdamHistory::segment(std::int64_t from, std::int64_t moves,
                                          std::int64_t to) const {
  const auto first = static_cast<std::size_t>(from), count = static_cast<std::size_t>(moves);
  const auto log_decay = log_decay_[static_cast<std::size_t>(to)];
  Segment result;
  result.series.decay = std::exp(log_decay - log_decay_[first]);
  result.series.first_scale = power(constants_.beta1, to - from);
  result.series.second_scale = power(constants_.beta2, to - from);
  result.series.epsilon = constants_.epsilon;
  std::vector<double> weights(count), roots(count);
  // A move shrinks with every decay that follows it, hence from the last to the first.
  double decay = std::exp(log_decay - log_decay_[first + count]);
  for (std::size_t i = count; i-- > 0;) {
    const kernels::AdamStep& step = steps_[first + i];
    weights[i] = step.size * beta1_powers_[i + 1] * decay;
    roots[i] = step.root * root_beta2_powers_[i + 1];
    decay *= step.decay;
  }
  result.set_moves(weights, roots);
  return result;
}

ReplayPlan AdamHistory::plan(std::int64_t from) const {
  const auto gap = size() - from;
  const auto steps_until = [&](std::int64_t end) {
    return std::span(steps_).subspan(static_cast<std::size_t>(from),
                                     static_cast<std::size_t>(end - from));
  };
  if (from == 0) {  // without a gradient so far, m and v are 0
    if (log_decay_.back() == 0) return {};
    return {{}, {segment(0, 0, size()).series}};
  }
  // A cutoff below kShortGap (beta1 near 0) drops moves here that are 0 up to rounding.
  if (gap <= kShortGap || cutoff_ == kNoCutoff) return {steps_until(size()), {}};
  const auto end = from + std::min(gap, cutoff_);
  ReplayPlan plan;
  double movement = 0;                  // of the first segment
  auto start = from, first_end = from;  // of the first segment
  for (auto begin = from; begin < end;) {
    const auto index = plan.series.size();
    auto moves = std::min(lengths_[std::min(index, lengths_.size() - 1)], end - begin);
    Segment part;
    const auto fits = [&] {
      const auto next = begin + moves, to = next == end ? size() : next;
      part = segment(begin, moves, to);
      if (index == 0) {
        movement = part.movement;
        first_end = to;
      }
      const auto decay = std::exp(log_decay_[static_cast<std::size_t>(to)] -
                                  log_decay_[static_cast<std::size_t>(first_end)]);
      return remaining_share(begin - start) * part.error <= allowed_error(index) * movement * decay;
    };
    bool fitting = fits();
    while (!fitting && moves > kShortGap) {
      moves = std::max(moves / 2, kShortGap);
      fitting = fits();
    }
    begin += moves;
    if (fitting) {
      plan.series.push_back(part.series);
    } else {  // the coefficients change too fast, as they do at the start of training
      plan.series.clear();
      start = begin;
    }
  }
  plan.steps = steps_until(start);
  if (plan.series.empty() && end < size()) plan.series.push_back(segment(end, 0, size()).series);
  return plan;
}

}  // namespace fastformer::train
