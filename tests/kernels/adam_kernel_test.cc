#include "fastformer/kernels/adam_kernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "fastformer/kernels/simd_level.h"

namespace fastformer::kernels {
namespace {

using Doubles = std::vector<double>;

constexpr AdamConstants kAdam = {.beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8};
constexpr AdamStep kStep = {.size = 0.01, .root = 3.2, .decay = 0.999};

struct Weights {
  Doubles weight, first, second, gradient;
};

Weights random_weights(std::size_t count) {
  std::mt19937_64 generator(count + 1);
  std::normal_distribution<double> normal;
  Weights w{Doubles(count), Doubles(count), Doubles(count), Doubles(count)};
  for (std::size_t i = 0; i < count; ++i) {
    w.weight[i] = normal(generator);
    w.first[i] = normal(generator);
    w.second[i] = std::abs(normal(generator));
    w.gradient[i] = normal(generator);
  }
  return w;
}

// The step as its formula says it, in double precision; no gradient stands for zeros.
void by_definition(Weights& w, bool with_gradient) {
  for (std::size_t i = 0; i < w.weight.size(); ++i) {
    const double g = with_gradient ? w.gradient[i] : 0;
    w.first[i] = kAdam.beta1 * w.first[i] + (1 - kAdam.beta1) * g;
    w.second[i] = kAdam.beta2 * w.second[i] + (1 - kAdam.beta2) * g * g;
    const double denominator = kStep.root * std::sqrt(w.second[i]) + kAdam.epsilon;
    w.weight[i] = kStep.decay * w.weight[i] - kStep.size * w.first[i] / denominator;
  }
}

// Runs `update` on numbers of that type, which begin `skipped` elements after an aligned one.
template <class Real, class Update>
Weights run(const Weights& w, std::size_t skipped, const Update& update) {
  const auto count = w.weight.size();
  const auto convert = [&](const Doubles& from) {
    std::vector<Real> to(skipped, Real{7});
    to.insert(to.end(), from.begin(), from.end());
    to.push_back(Real{7});
    return to;
  };
  auto weight = convert(w.weight), first = convert(w.first), second = convert(w.second);
  const auto gradient = convert(w.gradient);
  const AdamSlice<Real> slice{weight.data() + skipped, first.data() + skipped,
                              second.data() + skipped, count};
  update(gradient.data() + skipped, slice);
  EXPECT_EQ(weight.back(), 7) << "the element after the slice changed";
  const auto back = [&](const std::vector<Real>& from) {
    return Doubles(from.begin() + static_cast<std::ptrdiff_t>(skipped), from.end() - 1);
  };
  return {back(weight), back(first), back(second), w.gradient};
}

void expect_near(const Weights& actual, const Weights& expected, double tolerance) {
  for (std::size_t i = 0; i < expected.weight.size(); ++i) {
    EXPECT_NEAR(actual.weight[i], expected.weight[i],
                tolerance * (1 + std::abs(expected.weight[i])));
    EXPECT_NEAR(actual.first[i], expected.first[i], tolerance * (1 + std::abs(expected.first[i])));
    EXPECT_NEAR(actual.second[i], expected.second[i], tolerance);
  }
}

template <class Real>
void check_steps(double tolerance) {
  for (const auto& level : simd_levels()) {
    set_simd_level(level);
    for (std::size_t count = 0; count <= 40; ++count) {
      for (const std::size_t skipped : {0, 1}) {
        const auto start = random_weights(count);
        for (const bool with_gradient : {true, false}) {
          auto expected = start;
          by_definition(expected, with_gradient);
          const auto actual = run<Real>(start, skipped, [&](const Real* g, const auto& slice) {
            adam_update(kAdam, kStep, with_gradient ? g : nullptr, slice);
          });
          expect_near(actual, expected, tolerance);
        }
        auto expected = start;
        const std::vector<AdamStep> steps(3, kStep);
        for (int i = 0; i < 3; ++i) by_definition(expected, false);
        const auto replayed = run<Real>(start, skipped, [&](const Real*, const auto& slice) {
          adam_replay(kAdam, steps, slice);
        });
        expect_near(replayed, expected, tolerance);
      }
    }
  }
  set_simd_level("");
}

TEST(AdamKernel, StepsEqualTheDefinition) {
  check_steps<double>(1e-14);
  check_steps<float>(2e-6);
}

}  // namespace
}  // namespace fastformer::kernels
