#include "fastformer/kernels/layer_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "fastformer/kernels/simd_level.h"

namespace fastformer::kernels {
namespace {

using Doubles = std::vector<double>;
constexpr double kEpsilon = 1e-12;

struct Case {
  std::int64_t n, width;
  Doubles x, weight, bias, gradient;
};

Case random_case(std::int64_t n, std::int64_t width, double mean, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  // Rounded to float, so that both precisions get the same numbers.
  const auto fill = [&](std::int64_t count, double offset) {
    Doubles values(count);
    for (auto& value : values) value = static_cast<float>(offset + normal(generator));
    return values;
  };
  return {n, width, fill(n * width, mean), fill(width, 0), fill(width, 0), fill(n * width, 0)};
}

struct Results {
  Doubles y, dx, dweight, dbias;
};

// dweight and dbias start from ones, because the kernel adds to them.
Results reference(const Case& c) {
  const auto d = c.width;
  Results out{Doubles(c.n * d), Doubles(c.n * d), Doubles(d, 1), Doubles(d, 1)};
  for (std::int64_t i = 0; i < c.n; ++i) {
    const double *x = &c.x[i * d], *g = &c.gradient[i * d];
    double mean = 0, variance = 0, slope = 0, tilt = 0;
    for (std::int64_t k = 0; k < d; ++k) mean += x[k] / static_cast<double>(d);
    for (std::int64_t k = 0; k < d; ++k) {
      variance += (x[k] - mean) * (x[k] - mean) / static_cast<double>(d);
    }
    const double inverse = 1 / std::sqrt(variance + kEpsilon);
    for (std::int64_t k = 0; k < d; ++k) {
      const double z = (x[k] - mean) * inverse;
      out.y[i * d + k] = z * c.weight[k] + c.bias[k];
      slope += g[k] * c.weight[k] / static_cast<double>(d);
      tilt += g[k] * c.weight[k] * z / static_cast<double>(d);
      out.dweight[k] += g[k] * z;
      out.dbias[k] += g[k];
    }
    for (std::int64_t k = 0; k < d; ++k) {
      const double z = (x[k] - mean) * inverse;
      out.dx[i * d + k] = inverse * (g[k] * c.weight[k] - slope - z * tilt);
    }
  }
  return out;
}

template <class Real>
Results run(const Case& c) {
  const auto cast = [](const Doubles& values) {
    return std::vector<Real>(values.begin(), values.end());
  };
  const auto x = cast(c.x), weight = cast(c.weight), bias = cast(c.bias), g = cast(c.gradient);
  std::vector<Real> y(x.size()), statistics(2 * c.n), dx(x.size()), dw(c.width, 1), db(c.width, 1);
  layer_norm(x.data(), weight.data(), bias.data(), kEpsilon, c.n, c.width, y.data(),
             statistics.data());
  layer_norm_backward(x.data(), weight.data(), statistics.data(), g.data(), c.n, c.width, dx.data(),
                      dw.data(), db.data());
  const auto doubles = [](const std::vector<Real>& values) {
    return Doubles(values.begin(), values.end());
  };
  return {doubles(y), doubles(dx), doubles(dw), doubles(db)};
}

double largest_difference(const Doubles& a, const Doubles& b) {
  double largest = 0, scale = 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(a[i] - b[i]));
    scale = std::max(scale, std::abs(b[i]));
  }
  return largest / scale;
}

template <class Real>
void check(const Case& c, double tolerance) {
  const auto expected = reference(c), actual = run<Real>(c);
  EXPECT_LE(largest_difference(actual.y, expected.y), tolerance) << c.n << " x " << c.width;
  EXPECT_LE(largest_difference(actual.dx, expected.dx), tolerance) << c.n << " x " << c.width;
  EXPECT_LE(largest_difference(actual.dweight, expected.dweight), tolerance) << c.width;
  EXPECT_LE(largest_difference(actual.dbias, expected.dbias), tolerance) << c.width;
}

class LayerNorm : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_simd_level(GetParam()); }
  void TearDown() override { set_simd_level(""); }
};

TEST_P(LayerNorm, AgreesWithTheReferenceAtEveryWidth) {
  for (std::int64_t width = 1; width <= 130; ++width) {
    // Two numbers per row lie on either side of their mean and have no gradient: 1 / sqrt(variance)
    // then stands for nothing but the last bits.
    const auto c = random_case(3, width, 0, static_cast<unsigned>(width));
    check<double>(c, width <= 2 ? 1e-6 : 1e-11);
    if (width > 2) check<float>(c, 2e-4);
  }
  for (const std::int64_t width : {256, 768, 1000}) {
    for (const std::int64_t n : {0, 1, 130}) {
      check<double>(random_case(n, width, 0, 7), 1e-12);
      check<float>(random_case(n, width, 0, 7), 2e-6);
    }
  }
}

// E[x^2] - E[x]^2 would be off by a third here.
TEST_P(LayerNorm, KeepsItsPrecisionFarFromZero) {
  check<float>(random_case(4, 256, 1000, 1), 2e-4);
}

TEST_P(LayerNorm, WorksInPlace) {
  const auto c = random_case(5, 33, 0, 3);
  std::vector<float> x(c.x.begin(), c.x.end()), w(c.weight.begin(), c.weight.end());
  std::vector<float> b(c.bias.begin(), c.bias.end()), y(x.size());
  layer_norm(x.data(), w.data(), b.data(), kEpsilon, 5, 33, y.data(), static_cast<float*>(nullptr));
  layer_norm(x.data(), w.data(), b.data(), kEpsilon, 5, 33, x.data(), static_cast<float*>(nullptr));
  EXPECT_EQ(x, y);
}

TEST_P(LayerNorm, OfASumEqualsThatOfTheAddedRows) {
  for (const std::int64_t width : {1, 7, 16, 64, 77}) {
    const auto c = random_case(5, width, 3, 9);
    const std::vector<float> x(c.x.begin(), c.x.end()), added(c.gradient.begin(), c.gradient.end());
    const std::vector<float> weight(c.weight.begin(), c.weight.end()),
        bias(c.bias.begin(), c.bias.end());
    auto sum = x;
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += added[i];
    std::vector<float> expected(x.size()), y = x, z = added;
    layer_norm<float>(sum.data(), weight.data(), bias.data(), kEpsilon, 5, width, expected.data(),
                      nullptr);
    layer_norm_of_sum(y.data(), added.data(), weight.data(), bias.data(), kEpsilon, 5, width,
                      y.data());
    EXPECT_EQ(y, expected) << width;
    layer_norm_of_sum(x.data(), z.data(), weight.data(), bias.data(), kEpsilon, 5, width, z.data());
    EXPECT_EQ(z, expected) << width;
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, LayerNorm, ::testing::ValuesIn(simd_levels()));

}  // namespace
}  // namespace fastformer::kernels
