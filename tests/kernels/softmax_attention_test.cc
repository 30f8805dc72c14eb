#include "fastformer/kernels/softmax_attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "fastformer/kernels/simd_level.h"

namespace fastformer::kernels {
namespace {

using Doubles = std::vector<double>;
constexpr auto kAny = KeyRange::kUnlimited;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Size {
  std::int64_t queries, keys, width;
};

// One head in double precision.
struct Case {
  Size size;
  std::vector<KeyRange> ranges;
  Doubles query, key, value, gradient;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  out << c.size.queries << " queries, " << c.size.keys << " keys, e " << c.size.width;
  for (const auto& range : c.ranges) {
    out << ", [" << range.begin << ", " << range.end << ") step " << range.step << " behind "
        << range.behind << " ahead " << range.ahead;
  }
  return out;
}

Case random_case(const Size& size, std::vector<KeyRange> ranges, double logit_scale,
                 unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  // Rounded to float, so that both precisions get the same numbers.
  const auto fill = [&](std::int64_t rows, double scale) {
    Doubles values(rows * size.width);
    for (auto& value : values) value = static_cast<float>(scale * normal(generator));
    return values;
  };
  return {size,
          std::move(ranges),
          fill(size.queries, logit_scale),
          fill(size.keys, 1),
          fill(size.keys, 1),
          fill(size.queries, 1)};
}

bool attends(const Case& c, std::int64_t i, std::int64_t j) {
  return std::any_of(c.ranges.begin(), c.ranges.end(), [&](const KeyRange& range) {
    const auto distance = j * range.step - i;
    return j >= range.begin && j < range.end && -distance <= range.behind &&
           distance <= range.ahead;
  });
}

double dot(const double* a, const double* b, std::int64_t size) {
  double sum = 0;
  for (std::int64_t c = 0; c < size; ++c) sum += a[c] * b[c];
  return sum;
}

struct Results {
  Doubles output, dquery, dkey, dvalue;
};

double scale_of(const Size& size) { return 1 / std::sqrt(static_cast<double>(size.width)); }

// The weights [keys] of query i.
Doubles weights_of(const Case& c, std::int64_t i) {
  const auto [queries, keys, width] = c.size;
  Doubles weights(keys);
  double highest = -kInfinity, sum = 0;
  for (std::int64_t j = 0; j < keys; ++j) {
    const double logit = scale_of(c.size) * dot(&c.query[i * width], &c.key[j * width], width);
    weights[j] = attends(c, i, j) ? logit : -kInfinity;
    highest = std::max(highest, weights[j]);
  }
  if (highest == -kInfinity) return Doubles(keys);
  for (auto& weight : weights) sum += weight = std::exp(weight - highest);
  for (auto& weight : weights) weight /= sum;
  return weights;
}

// The gradients of keys and values start from ones, because the kernel adds to them.
Results reference(const Case& c) {
  const auto [queries, keys, width] = c.size;
  Results out{Doubles(queries * width), Doubles(queries * width), Doubles(keys * width, 1),
              Doubles(keys * width, 1)};
  for (std::int64_t i = 0; i < queries; ++i) {
    const auto weights = weights_of(c, i);
    double *output = &out.output[i * width], *dquery = &out.dquery[i * width];
    for (std::int64_t j = 0; j < keys; ++j) {
      for (std::int64_t k = 0; k < width; ++k) output[k] += weights[j] * c.value[j * width + k];
    }
    const double* g = &c.gradient[i * width];
    for (std::int64_t j = 0; j < keys; ++j) {
      const double slope = dot(g, &c.value[j * width], width) - dot(g, output, width);
      const double dlogit = scale_of(c.size) * weights[j] * slope;
      for (std::int64_t k = 0; k < width; ++k) {
        dquery[k] += dlogit * c.key[j * width + k];
        out.dkey[j * width + k] += dlogit * c.query[i * width + k];
        out.dvalue[j * width + k] += weights[j] * g[k];
      }
    }
  }
  return out;
}

// Rows of one head between the columns of others, which must stay as they are.
template <class Real>
struct Spread {
  static constexpr Real kOther = -77;

  Spread(const Doubles& values, std::int64_t head_width, std::int64_t gap)
      : width(head_width), stride(head_width + gap) {
    const auto rows = static_cast<std::int64_t>(values.size()) / width;
    data.assign(rows * stride + 1, kOther);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t c = 0; c < width; ++c) {
        data[1 + i * stride + c] = static_cast<Real>(values[i * width + c]);
      }
    }
  }
  HeadRows<Real> rows() { return {data.data() + 1, stride}; }
  HeadRows<const Real> fixed() const { return {data.data() + 1, stride}; }
  Doubles values() const {
    Doubles out;
    for (std::size_t at = 0; at < data.size(); ++at) {
      const auto column = (static_cast<std::int64_t>(at) - 1) % stride;
      if (at > 0 && column < width) {
        out.push_back(data[at]);
      } else {
        EXPECT_EQ(data[at], kOther);
      }
    }
    return out;
  }

  std::int64_t width, stride;
  std::vector<Real> data;
};

// The kernels, at most `block` queries a call.
template <class Real>
Results run(const Case& c, std::int64_t block) {
  const auto [queries, keys, width] = c.size;
  const Spread<Real> query(c.query, width, 3), key(c.key, width, 5), value(c.value, width, 1);
  const Spread<Real> gradient(c.gradient, width, 2);
  Spread<Real> output(Doubles(queries * width, 9), width, 7), dquery = output;
  Spread<Real> dkey(Doubles(keys * width, 1), width, 4), dvalue = dkey;
  std::vector<Real> statistics(2 * queries), scratch(attention_scratch_size(width));
  const AttentionHead<Real> head{query.fixed(), key.fixed(), value.fixed(), width,
                                 static_cast<Real>(scale_of(c.size))};
  for (std::int64_t first = 0; first < queries; first += block) {
    attend(head, {first, std::min(first + block, queries), c.ranges}, output.rows(),
           statistics.data(), scratch.data());
  }
  for (std::int64_t first = 0; first < queries; first += block) {
    attend_backward<Real>(head, {first, std::min(first + block, queries), c.ranges},
                          {output.fixed(), statistics.data(), gradient.fixed()},
                          {dquery.rows(), dkey.rows(), dvalue.rows()}, scratch.data());
  }
  return {output.values(), dquery.values(), dkey.values(), dvalue.values()};
}

// The largest difference, relative to the largest value (or to one, if all are smaller).
double difference(const Doubles& actual, const Doubles& expected) {
  if (actual.size() != expected.size()) return kInfinity;
  double largest = 0, scale = 1;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(actual[i])) return kInfinity;
    largest = std::max(largest, std::abs(actual[i] - expected[i]));
    scale = std::max(scale, std::abs(expected[i]));
  }
  return largest / scale;
}

void expect_close(const Results& actual, const Results& expected, double tolerance, const Case& c) {
  EXPECT_LE(difference(actual.output, expected.output), tolerance) << c;
  EXPECT_LE(difference(actual.dquery, expected.dquery), tolerance) << c;
  EXPECT_LE(difference(actual.dkey, expected.dkey), tolerance) << c;
  EXPECT_LE(difference(actual.dvalue, expected.dvalue), tolerance) << c;
}

void expect_right(const Case& c) {
  const auto expected = reference(c);
  expect_close(run<double>(c, 1 << 20), expected, 1e-12, c);
  expect_close(run<float>(c, 1 << 20), expected, 3e-6, c);
  expect_close(run<double>(c, 37), expected, 1e-12, c);
}

class SoftmaxAttention : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_simd_level(GetParam()); }
  void TearDown() override { set_simd_level(""); }
};

TEST_P(SoftmaxAttention, EqualsTheDefinitionOverAllKeys) {
  unsigned seed = 0;
  for (std::int64_t n = 0; n <= 130; ++n) {
    expect_right(random_case({n, n, 1 + n * 7 % 40}, {{0, n}}, 2, ++seed));
    expect_right(random_case({n * 11 % 131, n, 16}, {{0, n}}, 1, ++seed));
  }
  for (const std::int64_t width : {1, 2, 3, 7, 8, 15, 16, 17, 24, 31, 32, 33, 64, 100}) {
    expect_right(random_case({45, 77, width}, {{0, 77}}, 1, ++seed));
  }
  for (const std::int64_t width : {16, 19, 64}) {
    expect_right(random_case({300, 300, width}, {{0, 300}}, 1, ++seed));
  }
}

TEST_P(SoftmaxAttention, EqualsTheDefinitionInBands) {
  unsigned seed = 1000;
  for (const std::int64_t n : {1, 2, 16, 17, 33, 64, 65, 130, 300}) {
    for (const std::int64_t reach : {0, 1, 3, 8, 40, 200}) {
      expect_right(random_case({n, n, 16}, {{0, n, reach, reach}}, 1, ++seed));
      expect_right(random_case({n, n, 5}, {{0, n, reach, 0}}, 1, ++seed));
    }
    expect_right(random_case({n, n, 16}, {{0, n, kAny, 0}}, 1, ++seed));
    expect_right(random_case({n, n, 16}, {{0, n, kAny, -2}}, 1, ++seed));
    expect_right(random_case({n, n, 16}, {{0, n, -3}}, 1, ++seed));
  }
}

TEST_P(SoftmaxAttention, EqualsTheDefinitionForKeysAtSteps) {
  unsigned seed = 2000;
  for (const std::int64_t n : {1, 5, 64, 130, 300}) {
    for (const std::int64_t step : {2, 3, 4, 7}) {
      const auto keys = (n + step - 1) / step;
      for (const std::int64_t reach : {1, 2, 9, 64, 1000}) {
        const KeyRange range{0, keys, reach, reach, step};
        expect_right(random_case({n, keys, 16}, {range}, 1, ++seed));
      }
    }
  }
}

TEST_P(SoftmaxAttention, JoinsDisjointRangesInOneSoftmax) {
  unsigned seed = 3000;
  for (const std::int64_t n : {40, 65, 130, 300}) {
    const KeyRange leading{0, 8}, window{8, n, 16, 16};
    expect_right(random_case({n, n, 16}, {leading, window}, 1, ++seed));
    expect_right(random_case({n, n, 13}, {window, leading}, 1, ++seed));
    const KeyRange block{n - 7, n - 2}, gap{9, 9}, past{10, 30, kAny, 0};
    expect_right(random_case({n, n, 16}, {block, gap, past, {3, 4}, {5, 6}}, 1, ++seed));
    std::vector<KeyRange> single;
    for (auto j = n - 2; j > 0; j -= 2) single.push_back({j, j + 1});
    expect_right(random_case({n, n, 8}, single, 1, ++seed));
  }
}

TEST_P(SoftmaxAttention, GivesZerosWhereNoKeyIsSeen) {
  for (const auto& ranges : {std::vector<KeyRange>{}, {{4, 4}}, {{50, 60, kAny, 0}}}) {
    const auto c = random_case({55, 60, 16}, ranges, 1, 7);
    expect_right(c);
    const auto results = run<float>(c, 100);
    EXPECT_TRUE(std::all_of(results.output.begin(), results.output.begin() + 50 * 16,
                            [](double value) { return value == 0; }));
  }
}

TEST_P(SoftmaxAttention, SurvivesHugeLogits) {
  for (const std::int64_t n : {1, 17, 64, 200}) {
    const auto c = random_case({n, n, 16}, {{0, n}}, 1e4, static_cast<unsigned>(n));
    expect_close(run<double>(c, 50), reference(c), 1e-8, c);
    const auto floats = run<float>(c, 50);
    for (const auto& values : {floats.output, floats.dquery, floats.dkey, floats.dvalue}) {
      EXPECT_TRUE(std::all_of(values.begin(), values.end(),
                              [](double value) { return std::isfinite(value); }));
    }
  }
}

TEST_P(SoftmaxAttention, GradientsAgreeWithFiniteDifferences) {
  auto c = random_case({5, 6, 3}, {{0, 2}, {2, 6, 1, 2}}, 1, 3);
  const auto expected = run<double>(c, 3);
  const auto loss = [&] { return dot(run<double>(c, 3).output.data(), c.gradient.data(), 15); };
  const auto check = [&](Doubles& inputs, const Doubles& gradient, double start) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const double before = inputs[i], step = 1e-6;
      inputs[i] = before + step;
      const double above = loss();
      inputs[i] = before - step;
      const double below = loss();
      inputs[i] = before;
      EXPECT_NEAR(gradient[i] - start, (above - below) / (2 * step), 1e-8);
    }
  };
  check(c.query, expected.dquery, 0);
  check(c.key, expected.dkey, 1);
  check(c.value, expected.dvalue, 1);
}

TEST_P(SoftmaxAttention, RepeatsBitForBit) {
  const auto c = random_case({301, 301, 16}, {{0, 301}}, 3, 1);
  const auto first = run<float>(c, 128), second = run<float>(c, 128);
  EXPECT_EQ(first.output, second.output);
  EXPECT_EQ(first.dquery, second.dquery);
  EXPECT_EQ(first.dkey, second.dkey);
  EXPECT_EQ(first.dvalue, second.dvalue);
}

// NaN must reach the result, not vanish in a maximum.
TEST_P(SoftmaxAttention, PassesOnWhatIsNotANumber) {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), kInfinity}) {
    for (const std::int64_t row : {0, 5, 63, 99}) {
      auto c = random_case({100, 100, 16}, {{0, 100}}, 1, 2);
      c.query[row * 16 + 3] = bad;
      EXPECT_FALSE(std::isfinite(run<float>(c, 32).output[row * 16]));
      EXPECT_TRUE(std::isfinite(run<float>(c, 32).output[(row + 1) % 100 * 16]));
      c = random_case({100, 100, 16}, {{0, 100}}, 1, 2);
      c.key[row * 16 + 3] = std::numeric_limits<double>::quiet_NaN();
      EXPECT_FALSE(std::isfinite(run<float>(c, 32).output[50 * 16]));
      c = random_case({100, 100, 16}, {{0, 100}}, 1, 2);
      c.value[row * 16 + 3] = bad;
      EXPECT_FALSE(std::isfinite(run<float>(c, 32).output[50 * 16 + 3]));
    }
  }
}

TEST_P(SoftmaxAttention, CopiesAndAddsRows) {
  for (const std::int64_t width : {1, 7, 16, 33}) {
    const auto c = random_case({19, 19, width}, {}, 1, 5);
    const Spread<float> from(c.query, width, 2);
    Spread<float> to(Doubles(19 * width), width, 3);
    copy_rows(from.fixed(), 19, width, to.rows());
    EXPECT_EQ(to.values(), c.query);
    add_rows(from.fixed(), 19, width, to.rows());
    for (std::size_t i = 0; i < c.query.size(); ++i) EXPECT_EQ(to.values()[i], 2 * c.query[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(SimdLevels, SoftmaxAttention, ::testing::ValuesIn(simd_levels()),
                         [](const auto& level) { return level.param; });

}  // namespace
}  // namespace fastformer::kernels
