#include "fastformer/kernels/cube_convolution.h"

#include <algorithm>

// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fastformer/kernels/cube_convolution.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int64_t kBlock = CubeShape::kBlock;
constexpr int kVectors = 2;  // of filters, whose sums stay in registers

// A cube with a border of zeros, in which each patch is nine runs of numbers.
struct Padded {
  explicit Padded(const CubeShape& shape)
      : line((shape.width + 2) * shape.channels), slice((shape.height + 2) * line) {}

  std::int64_t line, slice;
};

// The places of a block: those of a cube, from `depth`, `height` and `width` on.
struct Block {
  std::int64_t depth, height, width;
  std::int64_t depths, heights, widths;

  // Where the patch of a place, by its number among 27, begins in a padded cube.
  std::int64_t patch(std::int64_t number, const Padded& padded, std::int64_t channels) const {
    const auto d = depth + number / (kBlock * kBlock), h = height + number / kBlock % kBlock;
    return d * padded.slice + h * padded.line + (width + number % kBlock) * channels;
  }
};

// body(block) for all blocks of a cube, in their order.
template <class Body>
HWY_INLINE void for_each_block(const CubeShape& shape, const Body& body) {
  for (std::int64_t d = 0; d < shape.depth; d += kBlock) {
    for (std::int64_t h = 0; h < shape.height; h += kBlock) {
      for (std::int64_t w = 0; w < shape.width; w += kBlock) {
        body(Block{d, h, w, std::min(kBlock, shape.depth - d), std::min(kBlock, shape.height - h),
                   std::min(kBlock, shape.width - w)});
      }
    }
  }
}

// body(line of the padded cube, line of the cube) for the lines that the slices of a cube have.
template <class Body>
HWY_INLINE void for_each_line(const CubeShape& shape, std::int64_t slices, const Body& body) {
  const Padded padded(shape);
  for (std::int64_t d = 0; d < slices; ++d) {
    for (std::int64_t h = 0; h < shape.height; ++h) {
      body((d + 1) * padded.slice + (h + 1) * padded.line + shape.channels,
           (d * shape.height + h) * shape.width * shape.channels);
    }
  }
}

template <class Real>
void pad(const CubeShape& shape, std::int64_t slices, const Real* x, Real* padded) {
  std::fill_n(padded, shape.padded_size(), Real{0});
  for_each_line(shape, slices, [&](std::int64_t to, std::int64_t from) {
    std::copy_n(x + from, shape.width * shape.channels, padded + to);
  });
}

// The highest sums of a block so far and the places that have them, for kVectors of filters.
template <class D>
struct Highest {
  hn::Vec<D> value[kVectors], place[kVectors];
};

// Takes in kRows times kColumns places: those of a row are adjacent. `rows`: where the patches of
// the first ones begin, and `numbers` their places in the block.
template <int kRows, int kColumns, class D, class Real = hn::TFromD<D>>
HWY_INLINE void take_places(D d, const CubeShape& shape, const Padded& padded,
                            const Real* const* rows, const std::int64_t* numbers,
                            const Real* weight, const Real* bias, Highest<D>& highest) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<D> sum[kRows][kColumns][kVectors];
#pragma GCC unroll 2
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (int j = 0; j < kColumns; ++j) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sum[i][j][v] = hn::LoadU(d, bias + v * lanes);
    }
  }
  for (std::int64_t line = 0; line < 9; ++line) {
    const auto first = line / 3 * padded.slice + line % 3 * padded.line;
    for (auto t = first; t < first + shape.line_taps(); ++t, weight += kVectors * lanes) {
      const auto one = hn::LoadU(d, weight), two = hn::LoadU(d, weight + lanes);
#pragma GCC unroll 2
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
        for (int j = 0; j < kColumns; ++j) {
          const auto value = hn::Set(d, rows[i][t + j * shape.channels]);
          sum[i][j][0] = hn::MulAdd(value, one, sum[i][j][0]);
          sum[i][j][1] = hn::MulAdd(value, two, sum[i][j][1]);
        }
      }
    }
  }
#pragma GCC unroll 2
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (int j = 0; j < kColumns; ++j) {
      const auto place = hn::Set(d, static_cast<Real>(numbers[i] + j));
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        const auto z = sum[i][j][v];
        const auto higher = hn::Or(hn::Gt(z, highest.value[v]), hn::IsNaN(z));
        highest.value[v] = hn::IfThenElse(higher, z, highest.value[v]);
        highest.place[v] = hn::IfThenElse(higher, place, highest.place[v]);
      }
    }
  }
}

template <int kColumns, class D, class Real = hn::TFromD<D>>
HWY_INLINE Highest<D> highest_of(D d, const CubeShape& shape, const Padded& padded,
                                 const Block& block, const Real* x, const Real* weight,
                                 const Real* bias) {
  const Real* rows[kBlock * kBlock];
  std::int64_t numbers[kBlock * kBlock];
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < block.depths; ++i) {
    for (std::int64_t j = 0; j < block.heights; ++j, ++count) {
      numbers[count] = (i * kBlock + j) * kBlock;
      rows[count] = x + block.patch(numbers[count], padded, shape.channels);
    }
  }
  Highest<D> highest;
  for (int v = 0; v < kVectors; ++v) {
    highest.value[v] = hn::Zero(d);
    highest.place[v] = hn::Set(d, Real{kNoWinner});
  }
  std::int64_t i = 0;
  for (; i + 2 <= count; i += 2) {
    take_places<2, kColumns>(d, shape, padded, rows + i, numbers + i, weight, bias, highest);
  }
  if (i < count) {
    take_places<1, kColumns>(d, shape, padded, rows + i, numbers + i, weight, bias, highest);
  }
  return highest;
}

// Weights and biases of kVectors of filters, contiguous; missing filters of the last group are
// zero.
template <class Real>
class PackedFilters {
 public:
  PackedFilters(const CubeShape& shape, const Real* weight, const Real* bias, Real* packed)
      : taps_(shape.taps()), packed_(packed) {
    for (std::int64_t first = 0; first < shape.filters; first += size()) {
      for (std::int64_t t = -1; t < taps_; ++t, packed += size()) {
        for (std::int64_t f = 0; f < size(); ++f) {
          const auto filter = first + f;
          packed[f] = filter >= shape.filters ? Real{0}
                      : t < 0                 ? bias[filter]
                                              : weight[filter * taps_ + t];
        }
      }
    }
  }

  static std::int64_t size() {
    return kVectors * static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<Real>()));
  }
  const Real* bias(std::int64_t first) const { return packed_ + first * (taps_ + 1); }
  const Real* weight(std::int64_t first) const { return bias(first) + size(); }

 private:
  std::int64_t taps_;
  const Real* packed_;
};

template <class Real>
void forward(const CubeShape& shape, std::int64_t cubes, const std::int64_t* offsets, const Real* x,
             const Real* weight, const Real* bias, Real* y, std::uint8_t* winners, Real* scratch) {
  const hn::ScalableTag<Real> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const Padded padded(shape);
  const PackedFilters<Real> filters(shape, weight, bias, scratch + shape.padded_size());
  HWY_ALIGN Real values[kVectors * hn::MaxLanes(d)];
  HWY_ALIGN Real places[kVectors * hn::MaxLanes(d)];
  for (std::int64_t b = 0; b < cubes; ++b) {
    const auto slices = offsets[b + 1] - offsets[b];
    pad(shape, slices, x + offsets[b] * shape.slice_size(), scratch);
    for_each_block(shape, [&](const Block& block) HWY_ATTR {
      for (std::int64_t first = 0; first < shape.filters; first += filters.size()) {
        const auto *w = filters.weight(first), *from = filters.bias(first);
        // After the last slice and its neighbour all places are equal.
        auto seen = block;
        if (block.depth > slices) seen = {block.depth, block.height, block.width, 1, 1, 1};
        const auto highest =
            seen.widths == 3   ? highest_of<3>(d, shape, padded, seen, scratch, w, from)
            : seen.widths == 2 ? highest_of<2>(d, shape, padded, seen, scratch, w, from)
                               : highest_of<1>(d, shape, padded, seen, scratch, w, from);
        for (int v = 0; v < kVectors; ++v) {
          hn::StoreU(highest.value[v], d, values + v * lanes);
          hn::StoreU(highest.place[v], d, places + v * lanes);
        }
        for (std::int64_t f = 0; f < std::min(filters.size(), shape.filters - first); ++f) {
          *y++ = values[f];
          *winners++ = static_cast<std::uint8_t>(places[f]);
        }
      }
    });
  }
}

// one += factor * two and three += factor * four, all [count]. A vector is no wider than a place:
// what a neighbour has just stored could not be loaded whole else, which costs more than it saves.
template <class Real>
HWY_INLINE void add_scaled(std::int64_t count, std::int64_t channels, Real factor, Real* one,
                           const Real* two, Real* three, const Real* four) {
  std::int64_t i = 0;
  const auto add = [&](auto d) HWY_ATTR {
    const auto scale = hn::Set(d, factor);
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (; i + lanes <= count; i += lanes) {
      hn::StoreU(hn::MulAdd(scale, hn::LoadU(d, two + i), hn::LoadU(d, one + i)), d, one + i);
      hn::StoreU(hn::MulAdd(scale, hn::LoadU(d, four + i), hn::LoadU(d, three + i)), d, three + i);
    }
  };
  const hn::ScalableTag<Real> d;
  if (channels % static_cast<std::int64_t>(hn::Lanes(d)) == 0) add(d);
  add(hn::CappedTag<Real, 4>());
  add(hn::CappedTag<Real, 1>());
}

template <class Real>
void backward(const CubeShape& shape, std::int64_t cubes, const std::int64_t* offsets,
              const Real* x, const Real* weight, const std::uint8_t* winners, const Real* g,
              Real* dx, Real* dweight, Real* dbias, Real* scratch) {
  const Padded padded(shape);
  const auto taps = shape.taps(), run = shape.line_taps();
  auto *source = scratch, *gradient = source + shape.padded_size();
  for (std::int64_t b = 0; b < cubes; ++b) {
    const auto slices = offsets[b + 1] - offsets[b];
    pad(shape, slices, x + offsets[b] * shape.slice_size(), source);
    std::fill_n(gradient, shape.padded_size(), Real{0});
    for_each_block(shape, [&](const Block& block) HWY_ATTR {
      for (std::int64_t f = 0; f < shape.filters; ++f, ++winners, ++g) {
        if (*winners == kNoWinner) continue;
        const auto at = block.patch(*winners, padded, shape.channels);
        auto t = f * taps;
        dbias[f] += *g;
        for (std::int64_t line = 0; line < 9; ++line, t += run) {
          const auto first = at + line / 3 * padded.slice + line % 3 * padded.line;
          add_scaled(run, shape.channels, *g, dweight + t, source + first, gradient + first,
                     weight + t);
        }
      }
    });
    auto* out = dx + offsets[b] * shape.slice_size();
    for_each_line(shape, slices, [&](std::int64_t from, std::int64_t to) {
      std::copy_n(gradient + from, shape.width * shape.channels, out + to);
    });
  }
}

// One function of each kind for each type: what the table of targets can point to.
#define FASTFORMER_NAME(Real)                                                                   \
  void forward_##Real(const CubeShape& shape, std::int64_t cubes, const std::int64_t* offsets,  \
                      const Real* x, const Real* weight, const Real* bias, Real* y,             \
                      std::uint8_t* winners, Real* scratch) {                                   \
    forward(shape, cubes, offsets, x, weight, bias, y, winners, scratch);                       \
  }                                                                                             \
  void backward_##Real(const CubeShape& shape, std::int64_t cubes, const std::int64_t* offsets, \
                       const Real* x, const Real* weight, const std::uint8_t* winners,          \
                       const Real* g, Real* dx, Real* dweight, Real* dbias, Real* scratch) {    \
    backward(shape, cubes, offsets, x, weight, winners, g, dx, dweight, dbias, scratch);        \
  }
FASTFORMER_NAME(float)
FASTFORMER_NAME(double)
#undef FASTFORMER_NAME

}  // namespace
}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fastformer::kernels {

HWY_EXPORT(forward_float);
HWY_EXPORT(forward_double);
HWY_EXPORT(backward_float);
HWY_EXPORT(backward_double);

std::int64_t cube_convolution_scratch_size(const CubeShape& shape) {
  constexpr std::int64_t kMostLanes = 16;  // floats in 512 bits
  const auto forward = shape.padded_size() + (shape.filters + 2 * kMostLanes) * (shape.taps() + 1);
  return std::max(forward, 2 * shape.padded_size());
}

#define FASTFORMER_INSTANTIATE(Real)                                                           \
  template <>                                                                                  \
  void convolve_cubes(const CubeShape& shape, std::int64_t cubes, const std::int64_t* offsets, \
                      const Real* x, const Real* weight, const Real* bias, Real* y,            \
                      std::uint8_t* winners, Real* scratch) {                                  \
    HWY_DYNAMIC_DISPATCH(forward_##Real)                                                       \
    (shape, cubes, offsets, x, weight, bias, y, winners, scratch);                             \
  }                                                                                            \
  template <>                                                                                  \
  void convolve_cubes_backward(const CubeShape& shape, std::int64_t cubes,                     \
                               const std::int64_t* offsets, const Real* x, const Real* weight, \
                               const std::uint8_t* winners, const Real* g, Real* dx,           \
                               Real* dweight, Real* dbias, Real* scratch) {                    \
    HWY_DYNAMIC_DISPATCH(backward_##Real)                                                      \
    (shape, cubes, offsets, x, weight, winners, g, dx, dweight, dbias, scratch);               \
  }
FASTFORMER_INSTANTIATE(float)
FASTFORMER_INSTANTIATE(double)
#undef FASTFORMER_INSTANTIATE

}  // namespace fastformer::kernels
#endif  // HWY_ONCE
