#include "peak_rate.h"

#include <chrono>

// Arrays of vectors need a vector size that is known while compiling.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "peak_rate.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace fastformer::bench::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Twelve sums hide the latency of a multiply-add on every current core. Gives the arithmetic done.
double multiply_adds(std::int64_t rounds, float* out) {
  constexpr int kSums = 12;
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<double>(hn::Lanes(d));
  const auto factor = hn::Set(d, 0.999F), added = hn::Set(d, *out);
  hn::Vec<decltype(d)> sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = hn::Set(d, static_cast<float>(i));
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = hn::MulAdd(sum, factor, added);
  }
  for (const auto& sum : sums) *out += hn::GetLane(sum);
  return 2.0 * kSums * lanes * static_cast<double>(rounds);
}

}  // namespace fastformer::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fastformer::bench {

HWY_EXPORT(multiply_adds);

double multiply_add_round(std::int64_t rounds, float* out) {
  return HWY_DYNAMIC_DISPATCH(multiply_adds)(rounds, out);
}

double peak_rate() {
  static const double rate = [] {
    double best = 0;
    float sink = 1;
    for (int trial = 0; trial < 5; ++trial) {
      const auto start = std::chrono::steady_clock::now();
      const double work = multiply_add_round(4'000'000, &sink);
      const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
      best = std::max(best, work / time.count());
    }
    return sink == 0 ? 0 : best;  // the sums have to be needed
  }();
  return rate;
}

}  // namespace fastformer::bench
#endif  // HWY_ONCE
