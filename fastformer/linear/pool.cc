#include "fastformer/linear/pool.h"

#include <algorithm>
#include <cmath>

#include "fastformer/linear/sigmoid_pool.h"

namespace fastformer::linear {
namespace {

// The objective of fit_pool for classes, convex in the coefficients.
class Objective {
 public:
  Objective(const std::vector<std::vector<double>>& scores, const Targets& targets,
            std::span<const double> prior)
      : scores_(scores),
        labels_(targets.ids),
        classes_(static_cast<std::size_t>(targets.classes)),
        prior_(prior) {}

  std::size_t members() const { return scores_.size(); }

  // The value; fills gradient [K] and Hessian [K, K].
  double evaluate(const std::vector<double>& a, std::vector<double>& gradient,
                  std::vector<double>& hessian) const {
    const auto count = members();
    gradient.assign(count, 0);
    hessian.assign(count * count, 0);
    std::vector<double> p(classes_), mean(count);
    double value = 0;
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      const auto first = i * classes_, label = static_cast<std::size_t>(labels_[i]);
      for (std::size_t c = 0; c < classes_; ++c) {
        p[c] = 0;
        for (std::size_t k = 0; k < count; ++k) p[c] += a[k] * scores_[k][first + c];
      }
      const double target = p[label];
      value += softmax(p) - target;
      for (std::size_t k = 0; k < count; ++k) {
        mean[k] = 0;
        for (std::size_t c = 0; c < classes_; ++c) mean[k] += p[c] * scores_[k][first + c];
        gradient[k] += mean[k] - scores_[k][first + label];
      }
      for (std::size_t k = 0; k < count; ++k) {
        for (std::size_t l = 0; l <= k; ++l) {
          double covariance = -mean[k] * mean[l];
          for (std::size_t c = 0; c < classes_; ++c) {
            covariance += p[c] * scores_[k][first + c] * scores_[l][first + c];
          }
          hessian[k * count + l] += covariance;
        }
      }
    }
    const double rows = static_cast<double>(labels_.size());
    for (std::size_t k = 0; k < count; ++k) {
      const double off = a[k] / prior_[k] - 1;
      value += off * off;
      gradient[k] += 2 * off / prior_[k];
      hessian[k * count + k] += 2 / (prior_[k] * prior_[k]);
      for (std::size_t l = 0; l < k; ++l) hessian[l * count + k] = hessian[k * count + l];
    }
    for (auto& x : gradient) x /= rows;
    for (auto& x : hessian) x /= rows;
    return value / rows;
  }

 private:
  const std::vector<std::vector<double>>& scores_;
  std::span<const std::int32_t> labels_;
  std::size_t classes_;
  std::span<const double> prior_;
};

}  // namespace

double softmax(std::span<double> row) {
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (auto& x : row) sum += x = std::exp(x - largest);
  for (auto& x : row) x /= sum;
  return largest + std::log(sum);
}

std::vector<double> Pool::logits(const std::vector<std::vector<double>>& scores) const {
  std::vector<double> sum(scores.empty() ? 0 : scores.front().size(), bias);
  for (std::size_t k = 0; k < scores.size(); ++k) {
    if (coefficients[k] == 0) continue;
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += coefficients[k] * scores[k][i];
  }
  return sum;
}

double sigmoid(double logit) {
  return logit >= 0 ? 1 / (1 + std::exp(-logit)) : 1 - 1 / (1 + std::exp(logit));
}

double cross_entropy_of(std::span<const double> logits, std::span<const std::int32_t> labels,
                        bool several) {
  if (!several) {
    std::vector<double> row(logits.begin(), logits.end());
    const double target = row[static_cast<std::size_t>(labels.front())];
    return softmax(row) - target;
  }
  double sum = 0;
  for (const double z : logits) sum += std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z)));
  for (const auto label : labels) sum -= logits[static_cast<std::size_t>(label)];
  return sum;
}

double cross_entropy(std::span<const double> logits, const Targets& targets) {
  const auto count = static_cast<std::size_t>(targets.classes);
  double sum = 0;
  for (std::int64_t i = 0; i < targets.size(); ++i) {
    sum += cross_entropy_of(logits.subspan(static_cast<std::size_t>(i) * count, count),
                            targets.of(i), targets.several);
  }
  return sum / static_cast<double>(targets.size());
}

Pool fit_pool(const std::vector<std::vector<double>>& scores, const Targets& targets,
              std::span<const double> prior) {
  if (targets.several) return fit_sigmoid_pool(scores, targets, prior);
  const Objective objective(scores, targets, prior);
  const auto count = objective.members();
  Pool pool{{prior.begin(), prior.end()}};
  auto& a = pool.coefficients;
  std::vector<double> gradient, hessian, unused;
  // Newton's method on one coefficient after another, each kept at or above 0: the objective is
  // convex, so that this ends at its smallest value. The step is halved until the value falls.
  double value = objective.evaluate(a, gradient, hessian);
  for (int sweep = 0; sweep < 100; ++sweep) {
    const double before = value;
    for (std::size_t k = 0; k < count; ++k) {
      const double old = a[k];
      double step = -gradient[k] / hessian[k * count + k];
      for (int halving = 0; halving < 30; ++halving, step /= 2) {
        a[k] = std::max(0.0, old + step);
        const double next = objective.evaluate(a, gradient, hessian);
        if (next <= value) {
          value = next;
          break;
        }
        a[k] = old;
      }
      if (a[k] == old) value = objective.evaluate(a, gradient, hessian);
    }
    if (before - value < 1e-10) break;
  }
  return pool;
}

}  // namespace fastformer::linear
