#include "fastformer/kernels/linear_attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "fastformer/kernels/simd_level.h"

namespace fastformer::kernels {
namespace {

struct Size {
  std::int64_t n, heads, e;
  std::int64_t width() const { return heads * e; }
};

std::ostream& operator<<(std::ostream& out, const Size& size) {
  return out << "n " << size.n << ", h " << size.heads << ", e " << size.e;
}

using Doubles = std::vector<double>;

struct Case {
  Size size;
  bool causal;
  Doubles query, key, value, gradient;  // [n, h e] each
};

Case random_case(const Size& size, bool causal, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  // Rounded to float, so that both precisions get the same numbers.
  const auto fill = [&](double scale) {
    Doubles values(size.n * size.width());
    for (auto& value : values) value = static_cast<float>(scale * normal(generator));
    return values;
  };
  return {size, causal, fill(1.5), fill(1.5), fill(1), fill(1)};
}

// phi or, with `slope`, its derivative.
Doubles features(const Doubles& values, bool slope) {
  Doubles out;
  for (const auto x : values) out.push_back(x > 0 ? (slope ? 1 : x + 1) : std::exp(x));
  return out;
}

struct Results {
  Doubles out, dquery, dkey, dvalue;
};

double dot(const double* a, const double* b, std::int64_t size) {
  return std::inner_product(a, a + size, b, 0.0);
}

// The definition, with a weight for every pair of rows.
Results reference(const Case& c) {
  const auto [n, heads, e] = c.size;
  const auto width = c.size.width();
  const auto query = features(c.query, false), key = features(c.key, false);
  const Doubles zeros(n * width);
  Results out{zeros, zeros, zeros, zeros};
  const auto add = [e](double factor, const double* from, double* to) {
    for (std::int64_t k = 0; k < e; ++k) to[k] += factor * from[k];
  };
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t t = 0; t < heads; ++t) {
      const auto end = c.causal ? i + 1 : n, at = i * width + t * e;
      Doubles weights(end);
      double sum = 1e-6;
      for (std::int64_t j = 0; j < end; ++j) {
        sum += weights[j] = dot(&query[at], &key[j * width + t * e], e);
      }
      for (std::int64_t j = 0; j < end; ++j) {
        add(weights[j] / sum, &c.value[j * width + t * e], &out.out[at]);
      }
      const double mean = dot(&out.out[at], &c.gradient[at], e);
      for (std::int64_t j = 0; j < end; ++j) {
        const auto other = j * width + t * e;
        const double dweight = (dot(&c.gradient[at], &c.value[other], e) - mean) / sum;
        add(weights[j] / sum, &c.gradient[at], &out.dvalue[other]);
        add(dweight, &key[other], &out.dquery[at]);
        add(dweight, &query[at], &out.dkey[other]);
      }
    }
  }
  const auto query_slopes = features(c.query, true), key_slopes = features(c.key, true);
  for (std::int64_t i = 0; i < n * width; ++i) {
    out.dquery[i] *= query_slopes[i];
    out.dkey[i] *= key_slopes[i];
  }
  return out;
}

// Rows of one case as a kernel meets them: further apart than they are wide, so that what lies
// between them must neither count nor change, and from a start that no vector is aligned to.
template <class Real>
class Rows {
 public:
  static constexpr std::int64_t kGap = 3;
  explicit Rows(const Size& size) : size_(size), values_(size.n * stride() + 1, Real{7}) {}
  Rows(const Size& size, const Doubles& values) : Rows(size) {
    for (std::int64_t i = 0; i < size.n; ++i) {
      std::copy_n(&values[i * size.width()], size.width(), row(i));
    }
  }
  std::int64_t stride() const { return size_.width() + kGap; }
  Real* row(std::int64_t i) { return values_.data() + 1 + i * stride(); }
  Doubles doubles() {
    Doubles out;
    for (std::int64_t i = 0; i < size_.n; ++i) {
      out.insert(out.end(), row(i), row(i) + size_.width());
      for (std::int64_t k = 0; k < kGap && i + 1 < size_.n; ++k) {
        EXPECT_EQ(row(i)[size_.width() + k], Real{7}) << "written between rows";
      }
    }
    return out;
  }

 private:
  Size size_;
  std::vector<Real> values_;
};

// The kernels on blocks of at most `length` rows.
template <class Real>
class Run {
 public:
  Run(const Case& c, std::int64_t length)
      : case_(c),
        length_(length),
        query_(c.size, c.query),
        key_(c.size, c.key),
        value_(c.size, c.value),
        gradient_(c.size, c.gradient),
        out_(c.size),
        dquery_(c.size),
        dkey_(c.size),
        dvalue_(c.size),
        scratch_(linear_attention_scratch_size(c.size.heads, c.size.e)) {}

  Results operator()() {
    const auto count = (case_.size.n + length_ - 1) / length_;
    case_.causal ? causal(count) : everywhere(count);
    return {out_.doubles(), dquery_.doubles(), dkey_.doubles(), dvalue_.doubles()};
  }

 private:
  using State = std::vector<Real>;
  State zero() const { return State(linear_attention_state_size(case_.size.heads, case_.size.e)); }
  std::int64_t first(std::int64_t block) const { return block * length_; }
  LinearAttentionShape shape(std::int64_t block) const {
    return {std::min(length_, case_.size.n - first(block)), case_.size.heads, case_.size.e,
            query_.stride(), out_.stride()};
  }
  LinearAttentionInput<Real> in(std::int64_t block) {
    return {query_.row(first(block)), key_.row(first(block)), value_.row(first(block))};
  }

  void everywhere(std::int64_t count) {
    auto state = zero(), dstate = zero();
    auto* scratch = scratch_.data();
    for (std::int64_t b = 0; b < count; ++b) add_to_state(shape(b), in(b), state.data(), scratch);
    for (std::int64_t b = 0; b < count; ++b) {
      linear_attention<Real>(shape(b), in(b), state.data(), out_.row(first(b)), scratch);
      linear_attention_query_backward<Real>(shape(b), in(b), state.data(), gradient_.row(first(b)),
                                            dquery_.row(first(b)), dstate.data(), scratch);
    }
    for (std::int64_t b = 0; b < count; ++b) {
      linear_attention_key_backward<Real>(shape(b), in(b), dstate.data(), dkey_.row(first(b)),
                                          dvalue_.row(first(b)), scratch);
    }
  }

  void causal(std::int64_t count) {
    const auto& size = case_.size;
    auto state = zero(), dstate = zero();
    auto* scratch = scratch_.data();
    std::vector<State> factors, heard;
    for (std::int64_t b = 0; b < count; ++b) {
      factors.emplace_back(2 * size.heads * shape(b).rows);
      heard.push_back(zero());
      causal_query_backward<Real>(shape(b), in(b), state.data(), gradient_.row(first(b)),
                                  dquery_.row(first(b)), factors[b].data(), heard[b].data(),
                                  scratch);
      causal_linear_attention(shape(b), in(b), state.data(), out_.row(first(b)), scratch);
    }
    // A block is given the sum of what the blocks after it have heard, or what they moved on.
    auto sum = zero();
    for (auto b = count - 1; b >= 0; --b) {
      if (b % 2 == 0) dstate = sum;
      causal_key_backward<Real>(shape(b), in(b), factors[b].data(), gradient_.row(first(b)),
                                dstate.data(), dkey_.row(first(b)), dvalue_.row(first(b)), scratch);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += heard[b][i];
    }
  }

  const Case& case_;
  std::int64_t length_;
  Rows<Real> query_, key_, value_, gradient_, out_, dquery_, dkey_, dvalue_;
  std::vector<Real> scratch_;
};

template <class Real>
Results run(const Case& c, std::int64_t length) {
  return Run<Real>(c, length)();
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

void expect_close(const Results& actual, const Results& expected, double tolerance, const Case& c) {
  EXPECT_LE(difference(actual.out, expected.out), tolerance) << c.size << ", causal " << c.causal;
  EXPECT_LE(difference(actual.dquery, expected.dquery), tolerance) << c.size;
  EXPECT_LE(difference(actual.dkey, expected.dkey), tolerance) << c.size;
  EXPECT_LE(difference(actual.dvalue, expected.dvalue), tolerance) << c.size;
}

class LinearAttentionKernel : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_simd_level(GetParam()); }
  void TearDown() override { set_simd_level(""); }
};

std::vector<Size> sizes() {
  std::vector<Size> all;
  for (std::int64_t n = 0; n <= 130; ++n) all.push_back({n, 1 + n % 4, 1 + n * 7 % 37});
  for (const std::int64_t e : {1, 2, 4, 8, 15, 16, 17, 31, 32, 33, 64, 100}) {
    for (const std::int64_t heads : {1, 2, 5}) all.push_back({41, heads, e});
  }
  // More heads than are worked on at a time, and a head wider than that.
  all.insert(all.end(), {{70, 5, 200}, {33, 2, 600}, {65, 70, 8}, {257, 16, 16}});
  return all;
}

TEST_P(LinearAttentionKernel, EqualsTheDefinition) {
  unsigned seed = 0;
  for (const auto& size : sizes()) {
    for (const bool causal : {false, true}) {
      const auto c = random_case(size, causal, ++seed);
      const auto expected = reference(c);
      expect_close(run<double>(c, 1 << 20), expected, 1e-12, c);
      expect_close(run<float>(c, 1 << 20), expected, 1e-5, c);
      expect_close(run<double>(c, 37), expected, 1e-12, c);
    }
  }
}

TEST_P(LinearAttentionKernel, GradientsAgreeWithFiniteDifferences) {
  for (const bool causal : {false, true}) {
    auto c = random_case({5, 2, 3}, causal, 3);
    const auto expected = run<double>(c, 3);
    const auto loss = [&] {
      const auto out = run<double>(c, 3).out;
      double sum = 0;
      for (std::size_t i = 0; i < out.size(); ++i) sum += out[i] * c.gradient[i];
      return sum;
    };
    const auto check = [&](Doubles& inputs, const Doubles& gradient) {
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        const double before = inputs[i], step = 1e-6;
        inputs[i] = before + step;
        const double above = loss();
        inputs[i] = before - step;
        const double below = loss();
        inputs[i] = before;
        EXPECT_NEAR(gradient[i], (above - below) / (2 * step), 1e-8);
      }
    };
    check(c.query, expected.dquery);
    check(c.key, expected.dkey);
    check(c.value, expected.dvalue);
  }
}

TEST_P(LinearAttentionKernel, RepeatsBitForBit) {
  for (const bool causal : {false, true}) {
    const auto c = random_case({301, 4, 16}, causal, 1);
    const auto first = run<float>(c, 128), second = run<float>(c, 128);
    EXPECT_EQ(first.out, second.out);
    EXPECT_EQ(first.dquery, second.dquery);
    EXPECT_EQ(first.dkey, second.dkey);
    EXPECT_EQ(first.dvalue, second.dvalue);
  }
}

// A causal row must not depend on what comes after it, not even in its last bit.
TEST_P(LinearAttentionKernel, NothingReachesACausalRowFromBehind) {
  auto c = random_case({75, 2, 16}, true, 4);
  const auto before = run<float>(c, 64).out;
  for (auto* values : {&c.query, &c.key, &c.value}) {
    std::fill(values->begin() + 50 * c.size.width(), values->end(), 3);
  }
  const auto after = run<float>(c, 64).out;
  const auto kept = 50 * c.size.width();
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + kept, after.begin()));
  EXPECT_FALSE(std::equal(before.begin() + kept, before.end(), after.begin() + kept));
}

TEST_P(LinearAttentionKernel, SurvivesHugeInputs) {
  for (const bool causal : {false, true}) {
    auto c = random_case({70, 2, 16}, causal, 5);
    for (auto* values : {&c.query, &c.key}) {
      for (auto& value : *values) value *= 1000;
    }
    expect_close(run<double>(c, 50), reference(c), 1e-12, c);
    const auto floats = run<float>(c, 50), expected = reference(c);
    EXPECT_LE(difference(floats.out, expected.out), 1e-5);
    EXPECT_LE(difference(floats.dvalue, expected.dvalue), 1e-5);
  }
}

// NaN must reach the result, not vanish in a comparison.
TEST_P(LinearAttentionKernel, PassesOnWhatIsNotANumber) {
  for (const bool causal : {false, true}) {
    for (const std::int64_t row : {0, 5, 70, 99}) {
      for (auto part : {&Case::query, &Case::key, &Case::value}) {
        auto c = random_case({100, 2, 20}, causal, 2);
        (c.*part)[row * 40 + 3] = std::numeric_limits<double>::quiet_NaN();
        EXPECT_FALSE(std::isfinite(run<float>(c, 32).out[row * 40 + 3])) << "row " << row;
        EXPECT_FALSE(std::isfinite(run<double>(c, 1000).out[row * 40 + 3])) << "row " << row;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(SimdLevels, LinearAttentionKernel, ::testing::ValuesIn(simd_levels()),
                         [](const auto& level) { return level.param; });

}  // namespace
}  // namespace fastformer::kernels
