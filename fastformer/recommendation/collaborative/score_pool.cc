#include "fastformer/recommendation/collaborative/score_pool.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace fastformer::recommendation {
namespace {

constexpr int kMostSteps = 50;
constexpr double kRidge = 1e-4;

// Loss, gradient and Hessian at the weights, as means over the clicks.
struct Derivatives {
  double loss = 0;
  std::vector<double> gradient;  // [K]
  std::vector<double> hessian;   // [K, K]
};

class PoolLoss {
 public:
  explicit PoolLoss(const PoolScores& pool) : pool_(pool) {}

  Derivatives at(const std::vector<double>& weights) const {
    const auto k = pool_.systems;
    Derivatives sum{.gradient = std::vector<double>(k), .hessian = std::vector<double>(k * k)};
    double clicks = 0;
    std::vector<std::size_t> rows;  // a click, then the unclicked candidates
    for (std::size_t i = 0; i + 1 < pool_.offsets.size(); ++i) {
      const auto begin = pool_.offsets[i], end = pool_.offsets[i + 1];
      rows.assign(1, 0);
      for (auto c = begin; c < end; ++c) {
        if (pool_.clicked[c] == 0) rows.push_back(c);
      }
      if (rows.size() == 1) continue;
      for (auto c = begin; c < end; ++c) {
        if (pool_.clicked[c] == 0) continue;
        rows.front() = c;
        add(rows, weights, sum);
        clicks += 1;
      }
    }
    if (clicks == 0) {
      throw std::invalid_argument("no impression has both a clicked and an unclicked item");
    }
    sum.loss /= clicks;
    for (auto& value : sum.gradient) value /= clicks;
    for (auto& value : sum.hessian) value /= clicks;
    for (std::size_t a = 0; a < k; ++a) {
      sum.loss += kRidge / 2 * weights[a] * weights[a];
      sum.gradient[a] += kRidge * weights[a];
      sum.hessian[a * k + a] += kRidge;
    }
    return sum;
  }

 private:
  // Adds -log p of the first row, p = softmax over the rows.
  void add(const std::vector<std::size_t>& rows, const std::vector<double>& weights,
           Derivatives& sum) const {
    const auto k = pool_.systems;
    const auto score = [&](std::size_t r, std::size_t a) { return pool_.scores[rows[r] * k + a]; };
    std::vector<double> p(rows.size());
    for (std::size_t r = 0; r < rows.size(); ++r) {
      for (std::size_t a = 0; a < k; ++a) p[r] += weights[a] * score(r, a);
    }
    const double highest = *std::max_element(p.begin(), p.end());
    const double first = p.front();
    double total = 0;
    for (auto& value : p) total += value = std::exp(value - highest);
    sum.loss += std::log(total) + highest - first;
    std::vector<double> mean(k);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      p[r] /= total;
      for (std::size_t a = 0; a < k; ++a) mean[a] += p[r] * score(r, a);
    }
    for (std::size_t a = 0; a < k; ++a) {
      sum.gradient[a] += mean[a] - score(0, a);
      for (std::size_t b = 0; b < k; ++b) {
        for (std::size_t r = 0; r < rows.size(); ++r) {
          sum.hessian[a * k + b] += p[r] * (score(r, a) - mean[a]) * (score(r, b) - mean[b]);
        }
      }
    }
  }

  const PoolScores& pool_;
};

std::vector<double> newton_step(const Derivatives& at) {
  const auto k = static_cast<std::int64_t>(at.gradient.size());
  const auto step = at::linalg_solve(at::tensor(at.hessian, at::kDouble).view({k, k}),
                                     at::tensor(at.gradient, at::kDouble))
                        .contiguous();
  const auto* values = step.const_data_ptr<double>();
  return {values, values + k};
}

PoolWeights minimum(const PoolScores& pool) {
  const PoolLoss loss(pool);
  std::vector<double> weights(pool.systems);
  auto here = loss.at(weights);
  for (int i = 0; i < kMostSteps; ++i) {
    const auto step = newton_step(here);
    // Halves the step until the loss falls.
    bool better = false;
    for (double length = 1; !better && length > 1e-6; length /= 2) {
      auto next = weights;
      for (std::size_t a = 0; a < next.size(); ++a) next[a] -= length * step[a];
      auto there = loss.at(next);
      if (!(there.loss < here.loss - 1e-12)) continue;
      weights = std::move(next);
      here = std::move(there);
      better = true;
    }
    if (!better) break;
  }
  return {std::move(weights), here.loss};
}

// The deviation of each system's scores within impressions, [K].
std::vector<double> deviations_of(const PoolScores& pool) {
  const auto k = pool.systems;
  std::vector<double> squares(k);
  for (std::size_t i = 0; i + 1 < pool.offsets.size(); ++i) {
    const auto begin = pool.offsets[i], end = pool.offsets[i + 1];
    for (std::size_t a = 0; a < k && begin < end; ++a) {
      double mean = 0;
      for (auto c = begin; c < end; ++c) mean += pool.scores[c * k + a];
      mean /= static_cast<double>(end - begin);
      for (auto c = begin; c < end; ++c) squares[a] += std::pow(pool.scores[c * k + a] - mean, 2);
    }
  }
  const auto candidates = static_cast<double>(std::max<std::size_t>(pool.clicked.size(), 1));
  for (auto& value : squares) value = std::sqrt(value / candidates);
  return squares;
}

// The scores of some systems, divided by their deviations.
PoolScores chosen(const PoolScores& pool, const std::vector<std::size_t>& systems,
                  const std::vector<double>& deviations) {
  PoolScores part{
      .systems = systems.size(), .scores = {}, .clicked = pool.clicked, .offsets = pool.offsets};
  part.scores.reserve(pool.clicked.size() * systems.size());
  for (std::size_t c = 0; c < pool.clicked.size(); ++c) {
    for (const auto a : systems) {
      part.scores.push_back(pool.scores[c * pool.systems + a] / deviations[a]);
    }
  }
  return part;
}

}  // namespace

PoolWeights pool_weights(const PoolScores& pool) {
  for (const auto score : pool.scores) {
    if (!std::isfinite(score)) {
      throw std::invalid_argument(
          "a score is not a number; the model has diverged: train it again");
    }
  }
  const auto deviations = deviations_of(pool);
  std::vector<std::size_t> systems;
  for (std::size_t a = 0; a < pool.systems; ++a) {
    if (deviations[a] > 0) systems.push_back(a);
  }
  for (;;) {
    auto found = minimum(chosen(pool, systems, deviations));
    const auto lowest = std::min_element(found.weights.begin(), found.weights.end());
    if (lowest != found.weights.end() && *lowest < 0) {
      systems.erase(systems.begin() + (lowest - found.weights.begin()));
      continue;
    }
    PoolWeights result{std::vector<double>(pool.systems), found.loss};
    for (std::size_t s = 0; s < systems.size(); ++s) {
      result.weights[systems[s]] = found.weights[s] / deviations[systems[s]];
    }
    return result;
  }
}

}  // namespace fastformer::recommendation
