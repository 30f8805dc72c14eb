#include "fastformer/kernels/activation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "fastformer/kernels/simd_level.h"

namespace fastformer::kernels {
namespace {

// The definitions, by the functions of the standard library.
double value_of(Activation kind, double x) {
  if (kind == Activation::kRelu) return x > 0 ? x : 0;
  if (kind == Activation::kTanh) return std::tanh(x);
  if (kind == Activation::kGeluTanh) {
    return x / (1 + std::exp(-2 * std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
  }
  return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
}

double slope_of(Activation kind, double x) {
  const double step = 1e-5 * std::max(1.0, std::abs(x));
  return (value_of(kind, x + step) - value_of(kind, x - step)) / (2 * step);
}

class Activations : public ::testing::TestWithParam<std::tuple<std::string, Activation>> {
 protected:
  void SetUp() override { set_simd_level(std::get<0>(GetParam())); }
  void TearDown() override { set_simd_level(""); }
  static Activation kind() { return std::get<1>(GetParam()); }
};

template <class Real>
void check(Activation kind, const std::vector<Real>& x, double tolerance) {
  const auto count = static_cast<std::int64_t>(x.size());
  std::vector<Real> out(count), active(count), gradient(count, Real{2});
  activate(kind, x.data(), count, out.data());
  activate_backward(kind, x.data(), count, active.data(), gradient.data());
  for (std::int64_t i = 0; i < count; ++i) {
    const double expected = value_of(kind, x[i]);
    // The tails keep their relative precision, but for the rounding of x^2 in exp(-x^2 / 2), or of
    // the cubic in its place, down to where that leaves the normal range.
    const double power = kind == Activation::kGeluTanh ? std::abs(x[i]) : 1;
    const double scale = std::max(std::abs(expected) * (1 + 0.1 * x[i] * x[i] * power), 1e-36);
    ASSERT_NEAR(out[i], expected, tolerance * scale) << "x " << x[i] << " of " << count;
    ASSERT_EQ(active[i], out[i]);
    if (kind == Activation::kRelu && std::abs(x[i]) < 1e-4) continue;
    ASSERT_NEAR(gradient[i], 2 * slope_of(kind, x[i]), std::max(tolerance, 1e-9) * 4)
        << "x " << x[i];
  }
}

TEST_P(Activations, GiveTheDefinitionAtEverySize) {
  std::mt19937_64 generator(1);
  std::normal_distribution<double> normal(0, 3);
  for (std::int64_t count = 0; count <= 130; ++count) {
    std::vector<float> floats(count);
    for (auto& value : floats) value = static_cast<float>(normal(generator));
    check<float>(kind(), floats, 5e-7);
    check<double>(kind(), {floats.begin(), floats.end()}, 1e-13);
  }
}

TEST_P(Activations, AreNearTheDefinitionWhenApproximate) {
  std::vector<float> x = {0, -0.0F, 100, -100, 3.8F, -3.8F, 4.97F, -4.97F};
  for (float value = -12; value < 12; value += 1e-3F) x.push_back(value);
  const auto count = std::ssize(x);
  std::vector<float> out(count);
  activate_approximately(kind(), x.data(), count, out.data());
  for (std::int64_t i = 0; i < count; ++i) {
    const double far = std::abs(x[i]);
    const double beyond = kind() == Activation::kTanh ? 1e-4 : 5e-5 * far;
    ASSERT_NEAR(out[i], value_of(kind(), x[i]), far <= 4 ? 1.2e-4 : beyond) << x[i];
  }
}

TEST_P(Activations, AreRightFarOutAndAtZero) {
  const std::vector<float> x = {0, -0.0F, 1e-30F, -1e-30F, 5, -5, 8, -8, 12, -12, 100, -100, 1e30F};
  check<float>(kind(), x, 5e-7);
}

TEST_P(Activations, PassNotANumberOn) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::int64_t count = 1; count <= 20; ++count) {
    std::vector<float> x(count, nan), out(count);
    activate(kind(), x.data(), count, out.data());
    for (const float value : out) EXPECT_TRUE(std::isnan(value)) << count;
    activate_approximately(kind(), x.data(), count, out.data());
    for (const float value : out) EXPECT_TRUE(std::isnan(value)) << count;
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, Activations,
                         ::testing::Combine(::testing::ValuesIn(simd_levels()),
                                            ::testing::Values(Activation::kGelu, Activation::kRelu,
                                                              Activation::kTanh,
                                                              Activation::kGeluTanh)));

}  // namespace
}  // namespace fastformer::kernels
