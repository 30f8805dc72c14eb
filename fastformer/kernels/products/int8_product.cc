#include "fastformer/kernels/products/int8_product.h"

#include <algorithm>

#include "fastformer/kernels/products/amx.h"
#include "fastformer/kernels/products/amx_int8.h"
#include "fastformer/kernels/products/int8_x86.h"

// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fastformer/kernels/products/int8_product.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

float largest(const float* x, std::int64_t count) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto most = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) most = hn::Max(hn::Abs(hn::LoadU(d, x + i)), most);
  float result = hn::GetLane(hn::MaxOfLanes(d, most));
  for (; i < count; ++i) result = std::max(std::abs(x[i]), result);
  return result;
}

// The bytes q + 128, where q is the integer nearest to x * inverse: in a sum with 1.5 * 2^23 the
// low bits of the significand are those of the integer.
template <class D>
void round_floats(D d, const float* x, std::int64_t count, float inverse, std::int64_t& i,
                  std::uint8_t* out) {
  constexpr float kShift = 1.5F * (1 << 23) + 128;
  const hn::RebindToUnsigned<D> words;
  const hn::Rebind<std::uint8_t, D> bytes;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (; i + lanes <= count; i += lanes) {
    const auto scaled = hn::Mul(hn::LoadU(d, x + i), hn::Set(d, inverse));
    const auto bits = hn::BitCast(words, hn::Add(scaled, hn::Set(d, kShift)));
    hn::StoreU(hn::U8FromU32(hn::And(bits, hn::Set(words, 0xFF))), bytes, out + i);
  }
}

void quantize(const float* x, std::int64_t rows, std::int64_t columns, std::int64_t stride,
              std::uint8_t* out, float* scales) {
  for (std::int64_t i = 0; i < rows; ++i, x += columns, out += stride) {
    const float found = largest(x, columns), most = found < kLeastQuantized ? 0 : found;
    scales[i] = most / 127;
    const float inverse = most > 0 ? 127 / most : 0;
    std::int64_t c = 0;
    round_floats(hn::ScalableTag<float>(), x, columns, inverse, c, out);
    round_floats(hn::CappedTag<float, 1>(), x, columns, inverse, c, out);
  }
}

}  // namespace
}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fastformer::kernels {
namespace {

HWY_EXPORT(quantize);

constexpr auto kPanel = Int8Matrix::kPanel, kGroup = Int8Matrix::kGroup;

}  // namespace

void quantize_rows(const float* x, std::int64_t rows, std::int64_t columns, std::int8_t* quantized,
                   float* scales) {
  auto* const bytes = reinterpret_cast<std::uint8_t*>(quantized);
  HWY_DYNAMIC_DISPATCH(quantize)(x, rows, columns, columns, bytes, scales);
  for (std::int64_t i = 0; i < rows * columns; ++i) bytes[i] ^= 0x80;  // from q + 128 to q
}

Int8Matrix Int8Matrix::of(const float* weight, std::int64_t depth, std::int64_t columns) {
  Int8Matrix matrix;
  matrix.depth_ = depth;
  matrix.columns_ = columns;
  std::vector<std::int8_t> rows(columns * depth);
  matrix.scales_.resize((columns + kPanel - 1) / kPanel * kPanel);
  quantize_rows(weight, columns, depth, rows.data(), matrix.scales_.data());
  matrix.offsets_.resize(matrix.scales_.size());
  const auto groups = matrix.groups();
  matrix.panels_.resize(std::ssize(matrix.scales_) * groups * kGroup);
  for (std::int64_t j = 0; j < columns; ++j) {
    for (std::int64_t k = 0; k < depth; ++k) {
      const auto value = rows[j * depth + k];
      const auto panel = j / kPanel * groups + k / kGroup;
      matrix.panels_[(panel * kPanel + j % kPanel) * kGroup + k % kGroup] = value;
      matrix.offsets_[j] += 128 * value;
    }
  }
  return matrix;
}

void Int8Matrix::multiply(std::int64_t n, const float* x, Start<float> start, float* y) const {
  static const Int8Way way = int8_ways().front();
  constexpr std::int64_t kRows = 128;
  thread_local std::vector<std::uint8_t> rows;
  thread_local std::vector<float> row_scales;
  const auto stride = groups() * kGroup;
  if (std::ssize(rows) < kRows * stride) rows.resize(kRows * stride);
  row_scales.resize(kRows);
  for (std::int64_t first = 0; first < n; first += kRows) {
    const auto count = std::min(kRows, n - first);
    HWY_DYNAMIC_DISPATCH(quantize)
    (x + first * depth_, count, depth_, stride, rows.data(), row_scales.data());
    // What lies between the rows is multiplied by zeros.
    way(*this, count, rows.data(), row_scales.data(), start, y + first * columns_);
  }
}

void int8_product_plain(const Int8Matrix& weight, std::int64_t n, const std::uint8_t* rows,
                        const float* row_scales, Start<float> start, float* y) {
  const auto groups = weight.groups(), columns = weight.columns();
  const auto* panels = weight.panels().data();
  for (std::int64_t i = 0; i < n; ++i, rows += groups * kGroup, y += columns) {
    for (std::int64_t first = 0; first < columns; first += kPanel) {
      std::int32_t sums[kPanel] = {};
      const auto* panel = panels + first * groups * kGroup;
      for (std::int64_t k = 0; k < groups; ++k, panel += kPanel * kGroup) {
        for (std::int64_t j = 0; j < kPanel; ++j) {
          for (std::int64_t g = 0; g < kGroup; ++g) {
            sums[j] += std::int32_t{rows[k * kGroup + g]} * panel[j * kGroup + g];
          }
        }
      }
      for (std::int64_t j = 0; j < std::min(kPanel, columns - first); ++j) {
        const auto c = first + j;
        const auto product = static_cast<float>(sums[j] - weight.offsets()[c]) *
                             (row_scales[i] * weight.scales()[c]);
        y[c] = product + (start.keep ? y[c] : start.row != nullptr ? start.row[c] : 0);
      }
    }
  }
}

std::vector<Int8Way> int8_ways() {
  std::vector<Int8Way> ways = int8_x86_ways();
  if (has_amx()) ways.insert(ways.begin(), int8_product_amx);
  ways.push_back(int8_product_plain);
  return ways;
}

}  // namespace fastformer::kernels
#endif  // HWY_ONCE
