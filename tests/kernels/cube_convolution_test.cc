#include "fastformer/kernels/cube_convolution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "fastformer/kernels/simd_level.h"

namespace fastformer::kernels {
namespace {

using Doubles = std::vector<double>;

struct Case {
  CubeShape shape;
  std::vector<std::int64_t> offsets;
  Doubles x, weight, bias, gradient;

  std::int64_t cubes() const { return std::ssize(offsets) - 1; }
};

// `slices` of each cube. With a `step`, numbers are small multiples of it: sums are exact in both
// precisions then, and maxima are often shared.
Case random_case(const CubeShape& shape, const std::vector<std::int64_t>& slices, double step,
                 unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  const auto fill = [&](std::int64_t count) {
    Doubles values(count);
    for (auto& value : values) {
      value = normal(generator);
      if (step > 0) value = std::round(value) * step;
    }
    return values;
  };
  Case c{shape, {0}, {}, {}, {}, {}};
  for (const auto count : slices) c.offsets.push_back(c.offsets.back() + count);
  c.x = fill(c.offsets.back() * shape.slice_size());
  c.weight = fill(shape.filters * shape.taps());
  c.bias = fill(shape.filters);
  c.gradient = fill(c.cubes() * shape.blocks() * shape.filters);
  return c;
}

struct Results {
  Doubles y, dx, dweight, dbias;
  bool operator==(const Results&) const = default;
};

// Every place of a cube with its patch, from the definition.
class Reference {
 public:
  explicit Reference(const Case& c)
      : c_(c),
        out_{Doubles(c.gradient.size()), Doubles(c.x.size()), Doubles(c.weight.size(), 1),
             Doubles(c.bias.size(), 1)} {
    for (std::int64_t b = 0; b < c.cubes(); ++b) {
      for (std::int64_t d = 0; d < c.shape.depth; d += 3) {
        for (std::int64_t h = 0; h < c.shape.height; h += 3) {
          for (std::int64_t w = 0; w < c.shape.width; w += 3) add_block(b, {d, h, w});
        }
      }
    }
  }
  const Results& results() const { return out_; }

 private:
  struct Place {
    std::int64_t d, h, w;
  };

  // body(index into x, index among the taps of a filter) for what a patch has within the cube.
  template <class Body>
  void for_each_tap(std::int64_t b, const Place& p, const Body& body) const {
    const auto slices = c_.offsets[b + 1] - c_.offsets[b];
    for (std::int64_t t = 0; t < c_.shape.taps(); ++t) {
      const auto channel = t % c_.shape.channels, offset = t / c_.shape.channels;
      const auto d = p.d + offset / 9 - 1, h = p.h + offset / 3 % 3 - 1, w = p.w + offset % 3 - 1;
      if (d < 0 || d >= slices || h < 0 || h >= c_.shape.height || w < 0 || w >= c_.shape.width) {
        continue;
      }
      const auto row = ((c_.offsets[b] + d) * c_.shape.height + h) * c_.shape.width + w;
      body(row * c_.shape.channels + channel, t);
    }
  }

  void add_block(std::int64_t b, const Place& first) {
    const auto& s = c_.shape;
    for (std::int64_t f = 0; f < s.filters; ++f, ++next_) {
      double highest = 0;
      Place winner{-1, -1, -1};
      for (auto d = first.d; d < std::min(first.d + 3, s.depth); ++d) {
        for (auto h = first.h; h < std::min(first.h + 3, s.height); ++h) {
          for (auto w = first.w; w < std::min(first.w + 3, s.width); ++w) {
            double z = c_.bias[f];
            for_each_tap(b, {d, h, w}, [&](std::int64_t i, std::int64_t t) {
              z += c_.x[i] * c_.weight[f * c_.shape.taps() + t];
            });
            if (z > highest) {
              highest = z;
              winner = {d, h, w};
            }
          }
        }
      }
      out_.y[next_] = highest;
      if (winner.d < 0) continue;
      const double g = c_.gradient[next_];
      out_.dbias[f] += g;
      for_each_tap(b, winner, [&](std::int64_t i, std::int64_t t) {
        out_.dx[i] += g * c_.weight[f * c_.shape.taps() + t];
        out_.dweight[f * c_.shape.taps() + t] += g * c_.x[i];
      });
    }
  }

  const Case& c_;
  Results out_;
  std::int64_t next_ = 0;
};

template <class Real>
Results run(const Case& c) {
  const auto cast = [](const Doubles& values) {
    return std::vector<Real>(values.begin(), values.end());
  };
  const auto x = cast(c.x), weight = cast(c.weight), bias = cast(c.bias), g = cast(c.gradient);
  std::vector<Real> y(g.size()), dx(x.size(), 7), dw(weight.size(), 1), db(bias.size(), 1);
  std::vector<std::uint8_t> winners(y.size());
  std::vector<Real> scratch(cube_convolution_scratch_size(c.shape), 7);
  convolve_cubes(c.shape, c.cubes(), c.offsets.data(), x.data(), weight.data(), bias.data(),
                 y.data(), winners.data(), scratch.data());
  convolve_cubes_backward(c.shape, c.cubes(), c.offsets.data(), x.data(), weight.data(),
                          winners.data(), g.data(), dx.data(), dw.data(), db.data(),
                          scratch.data());
  const auto doubles = [](const std::vector<Real>& values) {
    return Doubles(values.begin(), values.end());
  };
  return {doubles(y), doubles(dx), doubles(dw), doubles(db)};
}

double product(const Doubles& a, const Doubles& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

class CubeConvolution : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_simd_level(GetParam()); }
  void TearDown() override { set_simd_level(""); }
};

TEST_P(CubeConvolution, EqualsTheDefinitionAtEverySize) {
  for (const std::int64_t depth : {1, 3, 5, 10}) {
    for (const std::int64_t height : {1, 2, 3, 7}) {
      for (const std::int64_t width : {1, 2, 3, 4, 8}) {
        const CubeShape shape{width % 3 + 1, 5 * height - 4, depth, height, width};
        const auto c = random_case(shape, {depth, 0, depth / 2, 1}, 0.25, 1);
        const auto expected = Reference(c).results();
        EXPECT_EQ(run<double>(c), expected) << depth << " " << height << " " << width;
        EXPECT_EQ(run<float>(c), expected) << depth << " " << height << " " << width;
      }
    }
  }
}

TEST_P(CubeConvolution, TakesAnyNumberOfFilters) {
  for (std::int64_t filters = 1; filters <= 70; ++filters) {
    const auto c = random_case({2, filters, 4, 3, 4}, {4, 1}, 0.5, 2);
    EXPECT_EQ(run<float>(c), Reference(c).results()) << filters;
  }
}

TEST_P(CubeConvolution, GradientsAreFiniteDifferences) {
  const auto c = random_case({4, 6, 7, 5, 4}, {7, 3, 0}, 0, 3);
  const auto gradients = run<double>(c);
  const auto step = random_case(c.shape, {7, 3, 0}, 0, 4);
  const auto value = [&](double scale) {
    auto moved = c;
    const auto move = [&](Doubles& values, const Doubles& by) {
      for (std::size_t i = 0; i < values.size(); ++i) values[i] += scale * by[i];
    };
    move(moved.x, step.x);
    move(moved.weight, step.weight);
    move(moved.bias, step.bias);
    return product(run<double>(moved).y, c.gradient);
  };
  // Sums of gradients begin at one.
  const auto ones = [](const Doubles& values) { return Doubles(values.size(), 1); };
  const double slope = product(gradients.dx, step.x) + product(gradients.dweight, step.weight) -
                       product(ones(step.weight), step.weight) +
                       product(gradients.dbias, step.bias) - product(ones(step.bias), step.bias);
  EXPECT_NEAR((value(1e-6) - value(-1e-6)) / 2e-6, slope, 1e-6 * std::abs(slope));
}

TEST_P(CubeConvolution, PassesOnWhatIsNotANumber) {
  for (std::size_t bad = 0; bad < 27; ++bad) {
    auto c = random_case({1, 3, 3, 3, 3}, {3}, 0, 5);
    c.x[bad] = std::numeric_limits<double>::quiet_NaN();
    for (const double y : run<float>(c).y) EXPECT_TRUE(std::isnan(y)) << bad;
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, CubeConvolution, ::testing::ValuesIn(simd_levels()));

}  // namespace
}  // namespace fastformer::kernels
