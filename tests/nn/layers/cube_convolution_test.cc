#include "fastformer/nn/layers/cube_convolution.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "support/temporary_folder.h"

namespace fastformer::nn {
namespace {

struct Results {
  at::Tensor y, dx, dweight, dbias;
};

class CubeConvolutionTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kDepth = 11;

  void SetUp() override {
    at::manual_seed(1);
    x_ = at::randn({offsets_.back(), 8, 5, 4}, at::kDouble).set_requires_grad(true);
    weight_ = at::randn({6, 4, 3, 3, 3}, at::kDouble).set_requires_grad(true);
    bias_ = at::randn({6}, at::kDouble).set_requires_grad(true);
  }

  template <class Convolve>
  Results results(const Convolve& convolve) const {
    for (const auto* tensor : {&x_, &weight_, &bias_}) tensor->mutable_grad() = at::Tensor();
    const auto y = convolve();
    at::manual_seed(2);
    y.backward(at::randn(y.sizes(), y.options().requires_grad(false)));
    return {y.detach(), x_.grad(), weight_.grad(), bias_.grad()};
  }

  Results ours() const {
    return results([&] { return convolve_cubes(x_, Offsets(offsets_), kDepth, weight_, bias_); });
  }

  // With PyTorch's operations, on cubes that are filled up with zeros.
  Results pytorchs() const {
    return results([&] {
      std::vector<at::Tensor> cubes;
      for (std::size_t b = 0; b + 1 < offsets_.size(); ++b) {
        const auto length = offsets_[b + 1] - offsets_[b];
        cubes.push_back(at::constant_pad_nd(x_.narrow(0, offsets_[b], length),
                                            {0, 0, 0, 0, 0, 0, 0, kDepth - length}));
      }
      const auto cube = at::stack(cubes).permute({0, 4, 1, 2, 3});
      const auto z = at::relu(at::conv3d(cube, weight_, bias_, /*stride=*/1, /*padding=*/1));
      return at::max_pool3d(z, 3, /*stride=*/3, /*padding=*/0, /*dilation=*/1, /*ceil_mode=*/true)
          .permute({0, 2, 3, 4, 1});
    });
  }

  std::vector<std::int64_t> offsets_ = {0, 11, 11, 12, 17, 27};
  at::Tensor x_, weight_, bias_;
};

TEST_F(CubeConvolutionTest, EqualsPyTorchsOperations) {
  const auto actual = ours(), expected = pytorchs();
  EXPECT_TRUE(at::allclose(actual.y, expected.y, 1e-12, 1e-12));
  EXPECT_TRUE(at::allclose(actual.dx, expected.dx, 1e-12, 1e-12));
  EXPECT_TRUE(at::allclose(actual.dweight, expected.dweight, 1e-12, 1e-12));
  EXPECT_TRUE(at::allclose(actual.dbias, expected.dbias, 1e-12, 1e-12));
}

TEST_F(CubeConvolutionTest, RepeatsBitForBit) {
  const auto first = ours(), second = ours();
  EXPECT_TRUE(at::equal(first.y, second.y));
  EXPECT_TRUE(at::equal(first.dweight, second.dweight));
  EXPECT_TRUE(at::equal(first.dx, second.dx));
}

TEST_F(CubeConvolutionTest, TakesNoCubes) {
  offsets_ = {0};
  x_ = x_.detach().narrow(0, 0, 0).set_requires_grad(true);
  const auto none = ours();
  EXPECT_EQ(none.y.sizes(), at::IntArrayRef({0, 4, 3, 2, 6}));
  EXPECT_EQ(none.dweight.abs().max().item<double>(), 0);
}

TEST_F(CubeConvolutionTest, RefusesOtherShapes) {
  const auto error = [&](std::int64_t depth, const at::Tensor& weight, const at::Tensor& bias) {
    return testing::error_of<c10::Error>(
        [&] { convolve_cubes(x_, Offsets(offsets_), depth, weight, bias); });
  };
  EXPECT_MENTIONS(error(10, weight_, bias_), "at most 10", "11");
  EXPECT_MENTIONS(error(kDepth, weight_.narrow(1, 0, 3), bias_), "expected weights");
  EXPECT_MENTIONS(error(kDepth, weight_, bias_.narrow(0, 0, 5)), "expected 6 biases");
  EXPECT_MENTIONS(error(kDepth, weight_.to(at::kFloat), bias_), "of the type");
}

}  // namespace
}  // namespace fastformer::nn
