#include "fastformer/kernels/row_dots.h"

// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fastformer/kernels/row_dots.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

void dots(const float* x, const float* w, float start, std::int64_t n, std::int64_t width,
          float* y) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < n; ++i, x += width) {
    // Two sums, so that one addition does not wait for the other.
    auto even = hn::Zero(d), odd = hn::Zero(d);
    std::int64_t c = 0;
    for (; c + 2 * lanes <= width; c += 2 * lanes) {
      even = hn::MulAdd(hn::LoadU(d, x + c), hn::LoadU(d, w + c), even);
      odd = hn::MulAdd(hn::LoadU(d, x + c + lanes), hn::LoadU(d, w + c + lanes), odd);
    }
    for (; c + lanes <= width; c += lanes) {
      even = hn::MulAdd(hn::LoadU(d, x + c), hn::LoadU(d, w + c), even);
    }
    float sum = start + hn::GetLane(hn::SumOfLanes(d, hn::Add(even, odd)));
    for (; c < width; ++c) sum += x[c] * w[c];
    y[i] = sum;
  }
}

}  // namespace
}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fastformer::kernels {

HWY_EXPORT(dots);

void row_dots(const float* x, const float* w, float start, std::int64_t n, std::int64_t width,
              float* y) {
  HWY_DYNAMIC_DISPATCH(dots)(x, w, start, n, width, y);
}

}  // namespace fastformer::kernels
#endif  // HWY_ONCE
