#include "fastformer/kernels/dropout.h"

#include <algorithm>
#include <type_traits>

// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fastformer/kernels/dropout.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#ifndef FASTFORMER_KERNELS_DROPOUT_HASH
#define FASTFORMER_KERNELS_DROPOUT_HASH
namespace fastformer::kernels {
namespace {

// Two rounds of a multiply-and-shift mix of 32 bits (the constants are those of Wellons'
// lowbias32), one half of the seed before the first, the other before the second.
constexpr std::uint32_t kStep = 0x9E3779B9U, kFirst = 0x7FEB352DU, kSecond = 0x846CA68BU;

struct Key {
  std::uint32_t low, high, threshold;  // kept: the upper 31 bits reach the threshold
};

// Indices are counted in 32 bits from a block of 2^32 on, which enters the key.
Key key_of(const DropoutRule& rule, std::int64_t first) {
  const auto block = static_cast<std::uint32_t>(static_cast<std::uint64_t>(first) >> 32);
  return {static_cast<std::uint32_t>(rule.seed),
          static_cast<std::uint32_t>(rule.seed >> 32) + block * kStep,
          static_cast<std::uint32_t>(rule.rate * 2147483648.0)};
}

bool kept(const Key& key, std::uint32_t index) {
  std::uint32_t bits = index * kStep + key.low;
  for (const auto half : {0U, key.high}) {
    bits ^= half;
    bits = (bits ^ (bits >> 16)) * kFirst;
    bits = (bits ^ (bits >> 15)) * kSecond;
    bits ^= bits >> 16;
  }
  return (bits >> 1) >= key.threshold;
}

}  // namespace
}  // namespace fastformer::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Whole vectors of floats; gives the number of elements done.
std::int64_t dropout_floats(const float* x, const float* residual, std::int64_t count,
                            const Key& key, std::uint32_t first, float scale, float* out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const hn::RebindToSigned<decltype(d)> di;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto threshold = hn::Set(di, static_cast<std::int32_t>(key.threshold));
  const auto step = hn::Set(du, kStep), one = hn::Set(du, kFirst), two = hn::Set(du, kSecond);
  const auto low = hn::Set(du, key.low), high = hn::Set(du, key.high);
  const auto factor = hn::Set(d, scale);
  auto index = hn::Iota(du, first);
  const auto next = hn::Set(du, static_cast<std::uint32_t>(lanes));
  const auto mix = [&](auto bits) HWY_ATTR {
    bits = hn::Mul(hn::Xor(bits, hn::ShiftRight<16>(bits)), one);
    bits = hn::Mul(hn::Xor(bits, hn::ShiftRight<15>(bits)), two);
    return hn::Xor(bits, hn::ShiftRight<16>(bits));
  };
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes, index = hn::Add(index, next)) {
    auto bits = mix(hn::Add(hn::Mul(index, step), low));
    bits = mix(hn::Xor(bits, high));
    const auto dropped = hn::Gt(threshold, hn::BitCast(di, hn::ShiftRight<1>(bits)));
    const auto value =
        hn::IfThenZeroElse(hn::RebindMask(d, dropped), hn::Mul(hn::LoadU(d, x + i), factor));
    hn::StoreU(residual == nullptr ? value : hn::Add(hn::LoadU(d, residual + i), value), d,
               out + i);
  }
  return i;
}

}  // namespace
}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fastformer::kernels {

HWY_EXPORT(dropout_floats);

template <class Real>
void dropout_add(const Real* x, const Real* residual, std::int64_t count, const DropoutRule& rule,
                 std::int64_t first, Real* out) {
  if (rule.rate == 0) {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = residual == nullptr ? x[i] : residual[i] + x[i];
    }
    return;
  }
  const auto scale = static_cast<Real>(1 / (1 - rule.rate));
  while (count > 0) {
    const auto key = key_of(rule, first);
    const auto index = static_cast<std::uint32_t>(first);
    const auto size = std::min(count, (std::int64_t{1} << 32) - index);  // to the end of the block
    std::int64_t i = 0;
    if constexpr (std::is_same_v<Real, float>) {
      i = HWY_DYNAMIC_DISPATCH(dropout_floats)(x, residual, size, key, index, scale, out);
    }
    for (; i < size; ++i) {
      const Real value = kept(key, index + static_cast<std::uint32_t>(i)) ? x[i] * scale : Real{0};
      out[i] = residual == nullptr ? value : residual[i] + value;
    }
    x += size;
    if (residual != nullptr) residual += size;
    out += size;
    first += size;
    count -= size;
  }
}

template void dropout_add(const float*, const float*, std::int64_t, const DropoutRule&,
                          std::int64_t, float*);
template void dropout_add(const double*, const double*, std::int64_t, const DropoutRule&,
                          std::int64_t, double*);

}  // namespace fastformer::kernels
#endif  // HWY_ONCE
