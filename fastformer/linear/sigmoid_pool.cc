#include "fastformer/linear/sigmoid_pool.h"

#include <algorithm>
#include <cmath>

namespace fastformer::linear {
namespace {

// The objective as a function of x = coefficients of the chosen members, then the bias.
class SigmoidObjective {
 public:
  SigmoidObjective(const std::vector<std::vector<double>>& scores, const Targets& targets,
                   std::span<const double> prior, std::span<const std::size_t> members)
      : targets_(targets), classes_(static_cast<std::size_t>(targets.classes)) {
    for (const auto k : members) {
      scores_.push_back(scores[k].data());
      prior_.push_back(prior[k]);
    }
  }

  std::size_t size() const { return scores_.size() + 1; }
  std::vector<double> start() const {
    auto x = prior_;
    x.push_back(0);
    return x;
  }

  // The value; fills gradient [n] and Hessian [n, n].
  double evaluate(const std::vector<double>& x, std::vector<double>& gradient,
                  std::vector<double>& hessian) const {
    const auto n = size();
    gradient.assign(n, 0);
    hessian.assign(n * n, 0);
    std::vector<double> input(n, 1);
    double value = 0;
    for (std::int64_t text = 0; text < targets_.size(); ++text) {
      const auto labels = targets_.of(text);
      auto label = labels.begin();
      const auto first = static_cast<std::size_t>(text) * classes_;
      for (std::size_t c = 0; c < classes_; ++c) {
        double z = x.back();
        for (std::size_t k = 0; k + 1 < n; ++k) {
          input[k] = scores_[k][first + c];
          z += x[k] * input[k];
        }
        const double small = std::exp(-std::abs(z)), p = (z >= 0 ? 1 : small) / (1 + small);
        const bool positive = label != labels.end() && static_cast<std::size_t>(*label) == c;
        if (positive) ++label;
        value += std::max(z, 0.0) + std::log1p(small) - (positive ? z : 0);
        const double slope = p - (positive ? 1 : 0),
                     curvature = small / ((1 + small) * (1 + small));
        for (std::size_t k = 0; k < n; ++k) {
          gradient[k] += slope * input[k];
          for (std::size_t l = 0; l <= k; ++l) {
            hessian[k * n + l] += curvature * input[k] * input[l];
          }
        }
      }
    }
    return add_penalty(x, value, gradient, hessian) / static_cast<double>(targets_.size());
  }

 private:
  // (bias^2 + sum of (coefficient / prior - 1)^2); gradient and Hessian are then divided by the
  // number of texts as the value is.
  double add_penalty(const std::vector<double>& x, double value, std::vector<double>& gradient,
                     std::vector<double>& hessian) const {
    const auto n = size();
    for (std::size_t k = 0; k < n; ++k) {
      const bool bias = k + 1 == n;
      const double unit = bias ? 1 : prior_[k], off = x[k] / unit - (bias ? 0 : 1);
      value += off * off;
      gradient[k] += 2 * off / unit;
      hessian[k * n + k] += 2 / (unit * unit);
    }
    const auto texts = static_cast<double>(targets_.size());
    for (auto& entry : gradient) entry /= texts;
    for (auto& entry : hessian) entry /= texts;
    return value;
  }

  const Targets& targets_;
  std::size_t classes_;
  std::vector<const double*> scores_;
  std::vector<double> prior_;
};

// The solution y of H y = g by Cholesky's method; H [n, n] is positive definite, its lower half is
// given.
std::vector<double> solve(std::vector<double> h, std::vector<double> g) {
  const auto n = g.size();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = h[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= h[i * n + k] * h[j * n + k];
      h[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-300)) : sum / h[j * n + j];
    }
    for (std::size_t k = 0; k < i; ++k) g[i] -= h[i * n + k] * g[k];
    g[i] /= h[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) g[i] -= h[k * n + i] * g[k];
    g[i] /= h[i * n + i];
  }
  return g;
}

std::vector<double> minimum_of(const SigmoidObjective& objective) {
  auto x = objective.start();
  std::vector<double> gradient, hessian, next_gradient, next_hessian;
  double value = objective.evaluate(x, gradient, hessian);
  for (int iteration = 0; iteration < 100; ++iteration) {
    const auto step = solve(hessian, gradient);
    const double before = value;
    double size = 1;
    // The step is halved until the value falls.
    for (int halving = 0; halving < 30; ++halving, size /= 2) {
      auto moved = x;
      for (std::size_t k = 0; k < x.size(); ++k) moved[k] -= size * step[k];
      const double next = objective.evaluate(moved, next_gradient, next_hessian);
      if (!(next <= value)) continue;
      value = next;
      x = std::move(moved);
      gradient.swap(next_gradient);
      hessian.swap(next_hessian);
      break;
    }
    if (!(before - value >= 1e-10)) break;
  }
  return x;
}

}  // namespace

Pool fit_sigmoid_pool(const std::vector<std::vector<double>>& scores, const Targets& targets,
                      std::span<const double> prior) {
  std::vector<std::size_t> members;
  for (std::size_t k = 0; k < scores.size(); ++k) members.push_back(k);
  while (true) {
    const auto x = minimum_of(SigmoidObjective(scores, targets, prior, members));
    const auto coefficients = std::span(x).first(members.size());
    const auto least = std::min_element(coefficients.begin(), coefficients.end());
    if (members.empty() || *least >= 0) {
      Pool pool{.coefficients = std::vector<double>(scores.size()), .bias = x.back()};
      for (std::size_t i = 0; i < members.size(); ++i) pool.coefficients[members[i]] = x[i];
      return pool;
    }
    members.erase(members.begin() + (least - coefficients.begin()));
  }
}

}  // namespace fastformer::linear
