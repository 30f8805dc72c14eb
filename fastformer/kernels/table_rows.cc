#include "fastformer/kernels/table_rows.h"

// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fastformer/kernels/table_rows.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
void add_int8(D d, const std::int8_t* row, float scale, std::int64_t& i, std::int64_t count,
              float* to) {
  const hn::Rebind<std::int8_t, D> bytes;
  const hn::Rebind<std::int32_t, D> words;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (; i + lanes <= count; i += lanes) {
    const auto q = hn::ConvertTo(d, hn::PromoteTo(words, hn::LoadU(bytes, row + i)));
    hn::StoreU(hn::MulAdd(q, hn::Set(d, scale), hn::LoadU(d, to + i)), d, to + i);
  }
}

void int8_row(const std::int8_t* row, float scale, std::int64_t count, float* to) {
  std::int64_t i = 0;
  add_int8(hn::ScalableTag<float>(), row, scale, i, count, to);
  add_int8(hn::CappedTag<float, 1>(), row, scale, i, count, to);
}

void int4_row(const std::uint8_t* row, float scale, std::int64_t count, float* to) {
  constexpr std::int64_t kBlock = 32;
  std::int8_t numbers[kBlock];
  std::int64_t first = 0;
#if HWY_TARGET != HWY_SCALAR
  // Vectors of 16 bytes on every CPU, so that interleaving keeps the order of the numbers.
  const hn::Full128<std::uint8_t> bytes;
  const hn::Full128<std::uint16_t> pairs;
  const hn::Full128<std::int8_t> signed_bytes;
  for (; first + kBlock <= count; first += kBlock) {
    const auto packed = hn::LoadU(bytes, row + first / 2);
    const auto low_nibble = hn::Set(bytes, 15);
    const auto even = hn::And(packed, low_nibble);
    const auto high = hn::BitCast(bytes, hn::ShiftRight<4>(hn::BitCast(pairs, packed)));
    const auto odd = hn::And(high, low_nibble);
    const auto eight = hn::Set(signed_bytes, 8);
    const auto low_half = hn::BitCast(signed_bytes, hn::InterleaveLower(bytes, even, odd));
    const auto high_half = hn::BitCast(signed_bytes, hn::InterleaveUpper(bytes, even, odd));
    hn::StoreU(hn::Sub(low_half, eight), signed_bytes, numbers);
    hn::StoreU(hn::Sub(high_half, eight), signed_bytes, numbers + kBlock / 2);
    int8_row(numbers, scale, kBlock, to + first);
  }
#endif
  while (first < count) {
    const auto rest = count - first < kBlock ? count - first : kBlock;
    for (std::int64_t i = 0; i < rest; ++i) {
      const int byte = row[(first + i) / 2];
      numbers[i] = static_cast<std::int8_t>((i % 2 == 0 ? byte & 15 : byte >> 4) - 8);
    }
    int8_row(numbers, scale, rest, to + first);
    first += rest;
  }
}

}  // namespace
}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fastformer::kernels {

HWY_EXPORT(int8_row);
HWY_EXPORT(int4_row);

void add_int8_row(const std::int8_t* row, float scale, std::int64_t count, float* to) {
  HWY_DYNAMIC_DISPATCH(int8_row)(row, scale, count, to);
}

void add_int4_row(const std::uint8_t* row, float scale, std::int64_t count, float* to) {
  HWY_DYNAMIC_DISPATCH(int4_row)(row, scale, count, to);
}

}  // namespace fastformer::kernels
#endif  // HWY_ONCE
