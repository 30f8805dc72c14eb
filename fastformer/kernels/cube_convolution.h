#pragma once

#include <cstdint>

/// A convolution of cubes, relu and maxima over blocks of places in one pass (the interest
/// aggregation of FIM, Wang et al., ACL 2020, section 3.4):
///
///   z[p, f] = bias_f + sum over o in {-1, 0, 1}^3 and c of weight[f, o, c] x[p + o, c]
///   y[q, f] = max(0, z[p, f] of the places p of block q)
///
/// Blocks have 3 places a side and may be smaller at the far edges; outside of a cube x is zero.
/// Only one place of a block has a gradient for each filter, so the backward pass costs a fraction
/// of the forward pass.
///
/// x [slices, height, width, channels], the slices of the first cube before those of the second: a
/// cube with fewer than `depth` slices is padded with zeros. weight [filters, 3, 3, 3, channels], y
/// [cubes, blocks, filters], the blocks in the order of their places. Nothing is allocated; no call
/// throws. `Real` is float or double.
namespace fastformer::kernels {

struct CubeShape {
  std::int64_t channels, filters, depth, height, width;

  static constexpr std::int64_t kBlock = 3;
  static std::int64_t blocks_of(std::int64_t side) { return (side + kBlock - 1) / kBlock; }

  std::int64_t blocks() const { return blocks_of(depth) * blocks_of(height) * blocks_of(width); }
  std::int64_t slice_size() const { return height * width * channels; }
  std::int64_t padded_size() const { return (depth + 2) * (height + 2) * (width + 2) * channels; }
  std::int64_t line_taps() const { return 3 * channels; }
  std::int64_t taps() const { return 9 * line_taps(); }  ///< weights of a filter
};

/// The winner of a block without a place above zero.
constexpr std::uint8_t kNoWinner = 27;

/// `offsets` [cubes + 1]: the first slice of each cube; no cube has more than `depth`. `winners`
/// [cubes, blocks, filters]: the place of the (first) maximum in its block, or kNoWinner. NaN is
/// larger than all numbers. `scratch`: cube_convolution_scratch_size(shape) elements.
template <class Real>
void convolve_cubes(const CubeShape& shape, std::int64_t cubes, const std::int64_t* offsets,
                    const Real* x, const Real* weight, const Real* bias, Real* y,
                    std::uint8_t* winners, Real* scratch);

/// Given g = dL/dy: dx is overwritten; dweight and dbias are added to.
template <class Real>
void convolve_cubes_backward(const CubeShape& shape, std::int64_t cubes,
                             const std::int64_t* offsets, const Real* x, const Real* weight,
                             const std::uint8_t* winners, const Real* g, Real* dx, Real* dweight,
                             Real* dbias, Real* scratch);

/// Enough for both passes.
std::int64_t cube_convolution_scratch_size(const CubeShape& shape);

}  // namespace fastformer::kernels
