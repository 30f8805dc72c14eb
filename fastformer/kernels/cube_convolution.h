#pragma once

#include <cstdint>

/// A 3-D convolution, relu and max pooling over blocks of places, in one pass (the interest
/// aggregation of FIM, Wang et al., ACL 2020, section 3.4):
///
///   z[p, f] = bias_f + sum over o in {-1, 0, 1}^3 and c of weight[f, o, c] x[p + o, c]
///   y[q, f] = max(0, z[p, f] of the places p of block q)
///
/// Blocks are cubes of 3 x 3 x 3 places and may be smaller at the far edges. Outside of a cube, x
/// is zero. For each filter, only one place of a block has a gradient, so the backward pass costs a
/// fraction of the forward pass.
///
/// x [slices, height, width, channels]: the slices of all cubes, one cube after another; a cube
/// with fewer than `depth` slices is padded with zeros. weight [filters, 3, 3, 3, channels]. y
/// [cubes, blocks, filters], the blocks in the order of their places. `Real` is float or double. No
/// function allocates memory or throws.
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

/// Stored in place of a position for a block whose values are all at most zero.
constexpr std::uint8_t kNoWinner = 27;

/// `offsets` [cubes + 1]: the first slice of each cube; no cube has more than `depth` slices.
/// `winners` [cubes, blocks, filters]: the position of the (first) maximum in its block, or
/// kNoWinner. NaN counts as the maximum. `scratch`: cube_convolution_scratch_size(shape) elements.
template <class Real>
void convolve_cubes(const CubeShape& shape, std::int64_t cubes, const std::int64_t* offsets,
                    const Real* x, const Real* weight, const Real* bias, Real* y,
                    std::uint8_t* winners, Real* scratch);

/// Given g = dL/dy: overwrites dx and adds to dweight and dbias.
template <class Real>
void convolve_cubes_backward(const CubeShape& shape, std::int64_t cubes,
                             const std::int64_t* offsets, const Real* x, const Real* weight,
                             const std::uint8_t* winners, const Real* g, Real* dx, Real* dweight,
                             Real* dbias, Real* scratch);

/// Number of elements of scratch memory for either pass.
std::int64_t cube_convolution_scratch_size(const CubeShape& shape);

}  // namespace fastformer::kernels
