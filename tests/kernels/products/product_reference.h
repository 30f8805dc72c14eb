#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "fastformer/kernels/products/gemm.h"

/// The product of gemm.h from its definition: what every way of computing it is tested against.
namespace fastformer::kernels {

struct Problem {
  std::int64_t m, n, k;
  Transpose a, b;
};

enum class Begin { kZero, kRow, kKeep };
inline constexpr std::array kBegins = {Begin::kZero, Begin::kRow, Begin::kKeep};

template <class Real>
std::vector<Real> random_values(std::int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<Real> values(count);
  for (auto& value : values) value = normal(generator);
  return values;
}

// Rows are stored further apart than they are long, and what lies between must stay.
inline constexpr std::int64_t kGap = 3;

/// The largest difference of `multiply` from sums in double precision, over sqrt(k + 1). `read`
/// gives the number that an element of A or B stands for in the product.
template <class Real, class Multiply, class Read>
double largest_error(const Problem& p, Begin begin, const Multiply& multiply, const Read& read) {
  const bool left = p.a == Transpose::kYes, right = p.b == Transpose::kYes;
  const auto lda = (left ? p.m : p.k) + kGap, ldb = (right ? p.k : p.n) + kGap, ldc = p.n + kGap;
  const auto a = random_values<Real>((left ? p.k : p.m) * lda, 1);
  const auto b = random_values<Real>((right ? p.n : p.k) * ldb, 2);
  const auto before = random_values<Real>(p.m * ldc, 3);
  const auto row = random_values<Real>(p.n, 4);
  Start<Real> start;
  if (begin == Begin::kRow) start.row = row.data();
  start.keep = begin == Begin::kKeep;
  auto c = before;
  multiply(p.a, p.b, p.m, p.n, p.k, a.data(), lda, b.data(), ldb, start, c.data(), ldc);
  std::vector<double> exact_a(a.size()), exact_b(b.size());
  std::transform(a.begin(), a.end(), exact_a.begin(), read);
  std::transform(b.begin(), b.end(), exact_b.begin(), read);
  double largest = 0;
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < ldc; ++j) {
      double sum = start.keep || j >= p.n ? before[i * ldc + j] : 0;
      if (begin == Begin::kRow && j < p.n) sum = row[j];
      for (std::int64_t l = 0; j < p.n && l < p.k; ++l) {
        const double one = exact_a[left ? l * lda + i : i * lda + l];
        sum += one * exact_b[right ? j * ldb + l : l * ldb + j];
      }
      largest = std::max(largest, std::abs(c[i * ldc + j] - sum));
    }
  }
  return largest / std::sqrt(static_cast<double>(p.k + 1));
}

template <class Real, class Multiply>
double largest_error(const Problem& p, Begin begin, const Multiply& multiply) {
  return largest_error<Real>(p, begin, multiply, [](Real value) { return double{value}; });
}

}  // namespace fastformer::kernels
