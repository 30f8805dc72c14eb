#include "fastformer/kernels/products/bf16_matrix.h"

#include <algorithm>

#include "fastformer/kernels/products/amx.h"
#include "fastformer/kernels/products/amx_bf16.h"
#include "fastformer/kernels/products/avx512_bf16.h"
#include "fastformer/kernels/products/bf16_product.h"
#include "fastformer/kernels/products/matrix_product.h"

namespace fastformer::kernels {
namespace {

float rounded(float value) { return from_bf16(to_bf16(value)); }

// In plain C++ the weight stays in fp32, rounded.
const Bf16Packing kPlain = {
    .size =
        [](std::int64_t depth, std::int64_t columns) {
          return depth * columns * static_cast<std::int64_t>(sizeof(float));
        },
    .pack =
        [](const float* weight, std::int64_t depth, std::int64_t columns, std::uint8_t* packed) {
          std::transform(weight, weight + depth * columns, reinterpret_cast<float*>(packed),
                         rounded);
        },
    .multiply =
        [](const std::uint8_t* packed, std::int64_t depth, std::int64_t columns, std::int64_t n,
           const float* x, Start<float> start, float* y) {
          thread_local std::vector<float> rows;
          rows.resize(n * depth);
          std::transform(x, x + n * depth, rows.begin(), rounded);
          matrix_product<float>(Transpose::kNo, Transpose::kYes, n, columns, depth, rows.data(),
                                depth, reinterpret_cast<const float*>(packed), depth, start, y,
                                columns);
        },
};

const Bf16Packing& packing() {
  static const Bf16Packing fastest = bf16_packings().front();
  return fastest;
}

}  // namespace

std::vector<Bf16Packing> bf16_packings() {
  std::vector<Bf16Packing> packings;
  if (has_amx()) packings.push_back(bf16_packing_amx());
  if (has_avx512_bf16()) packings.push_back(bf16_packing_avx512());
  packings.push_back(kPlain);
  return packings;
}

Bf16Matrix Bf16Matrix::of(const float* weight, std::int64_t depth, std::int64_t columns) {
  Bf16Matrix matrix;
  matrix.depth_ = depth;
  matrix.columns_ = columns;
  if (depth == 0 || columns == 0) return matrix;
  const auto size = packing().size(depth, columns);
  constexpr auto kLine = static_cast<std::int64_t>(sizeof(Line));
  matrix.packed_.resize((size + kLine - 1) / kLine);
  packing().pack(weight, depth, columns, matrix.packed_.data()->bytes);
  return matrix;
}

void Bf16Matrix::multiply(std::int64_t n, const float* x, Start<float> start, float* y) const {
  if (packed_.empty()) return begin_product(start, n, columns_, y, columns_);
  packing().multiply(packed_.data()->bytes, depth_, columns_, n, x, start, y);
}

}  // namespace fastformer::kernels
