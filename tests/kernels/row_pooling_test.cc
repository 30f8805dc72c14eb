#include "fastformer/kernels/row_pooling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "fastformer/kernels/simd_level.h"

namespace fastformer::kernels {
namespace {

struct Size {
  std::int64_t n, width, heads;
};

std::ostream& operator<<(std::ostream& out, const Size& size) {
  return out << "n " << size.n << ", d " << size.width << ", h " << size.heads;
}

using Doubles = std::vector<double>;

// Everything about one pooling in double precision, as the definition says it.
struct Case {
  Size size;
  Doubles x, queries, gradient;
};

Case random_case(const Size& size, double logit_scale, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  // Rounded to float, so that both precisions get the same numbers.
  const auto fill = [&](std::int64_t count, double scale) {
    Doubles values(count);
    for (auto& value : values) value = static_cast<float>(scale * normal(generator));
    return values;
  };
  const double query_scale = logit_scale / std::sqrt(static_cast<double>(size.width));
  return {size, fill(size.n * size.width, 1), fill(size.heads * size.width, query_scale),
          fill(size.heads * size.width, 1)};
}

double dot(const double* a, const double* b, std::int64_t size) {
  double sum = 0;
  for (std::int64_t c = 0; c < size; ++c) sum += a[c] * b[c];
  return sum;
}

struct Results {
  Doubles weights, pooled, dx, dqueries;
};

// dx and dqueries start from ones, because the kernel adds to them.
Results reference(const Case& c) {
  const auto [n, width, heads] = c.size;
  Results out{Doubles(n * heads), Doubles(heads * width), Doubles(n * width, 1),
              Doubles(heads * width, 1)};
  for (std::int64_t h = 0; h < heads; ++h) {
    const double *query = &c.queries[h * width], *g = &c.gradient[h * width];
    Doubles logits(n);
    double highest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      logits[i] = dot(&c.x[i * width], query, width);
      highest = std::max(highest, logits[i]);
    }
    for (const auto logit : logits) sum += std::exp(logit - highest);
    for (std::int64_t i = 0; i < n; ++i) {
      const double weight = out.weights[i * heads + h] = std::exp(logits[i] - highest) / sum;
      for (std::int64_t k = 0; k < width; ++k) {
        out.pooled[h * width + k] += weight * c.x[i * width + k];
      }
    }
    const double mean = dot(&out.pooled[h * width], g, width);
    for (std::int64_t i = 0; i < n; ++i) {
      const double *row = &c.x[i * width], weight = out.weights[i * heads + h];
      const double dlogit = weight * (dot(row, g, width) - mean);
      for (std::int64_t k = 0; k < width; ++k) {
        out.dx[i * width + k] += weight * g[k] + dlogit * query[k];
        out.dqueries[h * width + k] += dlogit * row[k];
      }
    }
  }
  return out;
}

template <class Real>
std::vector<Real> cast(const Doubles& values) {
  return {values.begin(), values.end()};
}

// The kernels on blocks of at most `block` rows.
template <class Real>
Results run(const Case& c, std::int64_t block) {
  const auto [n, width, heads] = c.size;
  const auto x = cast<Real>(c.x), queries = cast<Real>(c.queries), g = cast<Real>(c.gradient);
  std::vector<Real> scratch(row_pooling_scratch_size(width, heads));
  std::vector<Real> state(pooling_state_size(width, heads)), other(state.size());
  pool_block(x.data(), queries.data(), std::min(block, n), width, heads, state.data(),
             scratch.data());
  for (std::int64_t first = block; first < n; first += block) {
    pool_block(&x[first * width], queries.data(), std::min(block, n - first), width, heads,
               other.data(), scratch.data());
    merge_pooling(other.data(), width, heads, state.data());
  }
  std::vector<Real> pooled(heads * width), statistics(2 * heads), weights(n * heads);
  finish_pooling(state.data(), width, heads, pooled.data(), statistics.data());
  pooling_weights(x.data(), queries.data(), statistics.data(), n, width, heads, weights.data(),
                  scratch.data());
  std::vector<Real> dx(n * width, 1), dqueries(heads * width, 1);
  for (std::int64_t first = 0; first < n; first += block) {
    pool_block_backward(x.data() + first * width, queries.data(), pooled.data(), statistics.data(),
                        g.data(), std::min(block, n - first), width, heads,
                        dx.data() + first * width, dqueries.data(), scratch.data());
  }
  const auto doubles = [](const std::vector<Real>& values) {
    return Doubles(values.begin(), values.end());
  };
  return {doubles(weights), doubles(pooled), doubles(dx), doubles(dqueries)};
}

// The largest difference, relative to the largest value (or to one, if all are smaller).
double difference(const Doubles& actual, const Doubles& expected) {
  double largest = 0, scale = 1;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(actual[i])) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(actual[i] - expected[i]));
    scale = std::max(scale, std::abs(expected[i]));
  }
  return largest / scale;
}

void expect_close(const Results& actual, const Results& expected, double tolerance,
                  const Size& size) {
  EXPECT_LE(difference(actual.weights, expected.weights), tolerance) << size;
  EXPECT_LE(difference(actual.pooled, expected.pooled), tolerance) << size;
  EXPECT_LE(difference(actual.dx, expected.dx), tolerance) << size;
  EXPECT_LE(difference(actual.dqueries, expected.dqueries), tolerance) << size;
}

class RowPooling : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_simd_level(GetParam()); }
  void TearDown() override { set_simd_level(""); }
};

std::vector<Size> sizes() {
  std::vector<Size> all;
  for (std::int64_t n = 0; n <= 130; ++n) all.push_back({n, 1 + n * 7 % 40, 1 + n % 17});
  for (const std::int64_t width : {8, 15, 16, 31, 33, 64, 100, 256, 999, 1000}) {
    for (const std::int64_t heads : {1, 2, 5, 16}) all.push_back({77, width, heads});
  }
  all.insert(all.end(), {{70, 8, 8}, {70, 33, 33}, {40, 130, 130}, {1021, 256, 16}, {1500, 7, 3}});
  return all;
}

TEST_P(RowPooling, EqualsTheDefinition) {
  unsigned seed = 0;
  for (const auto& size : sizes()) {
    const auto c = random_case(size, 2, ++seed);
    const auto expected = reference(c);
    expect_close(run<double>(c, 1 << 20), expected, 1e-12, size);
    expect_close(run<float>(c, 1 << 20), expected, 3e-5, size);
    expect_close(run<double>(c, 37), expected, 1e-12, size);
  }
}

TEST_P(RowPooling, SurvivesHugeLogits) {
  for (const std::int64_t n : {1, 63, 64, 65, 200}) {
    const auto c = random_case({n, 24, 3}, 1e4, static_cast<unsigned>(n));
    expect_close(run<double>(c, 50), reference(c), 1e-9, c.size);
    const auto floats = run<float>(c, 50);
    for (const auto& values : {floats.weights, floats.pooled, floats.dx, floats.dqueries}) {
      EXPECT_TRUE(std::all_of(values.begin(), values.end(),
                              [](double value) { return std::isfinite(value); }));
    }
  }
}

TEST_P(RowPooling, GradientsAgreeWithFiniteDifferences) {
  const Size size{5, 6, 2};
  auto c = random_case(size, 1, 3);
  const auto expected = run<double>(c, 3);
  const auto loss = [&] { return dot(run<double>(c, 3).pooled.data(), c.gradient.data(), 12); };
  const auto check = [&](Doubles& inputs, const Doubles& gradient) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const double before = inputs[i], step = 1e-6;
      inputs[i] = before + step;
      const double above = loss();
      inputs[i] = before - step;
      const double below = loss();
      inputs[i] = before;
      EXPECT_NEAR(gradient[i] - 1, (above - below) / (2 * step), 1e-8);
    }
  };
  check(c.x, expected.dx);
  check(c.queries, expected.dqueries);
}

TEST_P(RowPooling, RepeatsBitForBit) {
  const auto c = random_case({301, 100, 7}, 3, 1);
  const auto first = run<float>(c, 128), second = run<float>(c, 128);
  EXPECT_EQ(first.pooled, second.pooled);
  EXPECT_EQ(first.dx, second.dx);
  EXPECT_EQ(first.dqueries, second.dqueries);
}

// NaN must reach the result, not vanish in a maximum.
TEST_P(RowPooling, PassesOnWhatIsNotANumber) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const std::int64_t row : {0, 5, 70, 99}) {
      auto c = random_case({100, 20, 4}, 1, 2);
      c.x[row * 20 + 3] = bad;
      for (const auto& pooled : {run<float>(c, 1000).pooled, run<float>(c, 32).pooled}) {
        for (std::int64_t h = 0; h < 4; ++h) {
          EXPECT_FALSE(std::isfinite(pooled[h * 20 + 3])) << "row " << row << ", head " << h;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(SimdLevels, RowPooling, ::testing::ValuesIn(simd_levels()),
                         [](const auto& level) { return level.param; });

}  // namespace
}  // namespace fastformer::kernels
