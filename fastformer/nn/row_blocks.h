#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

/// Work on rows of tokens in blocks that stay in the second cache from the first step of a layer to
/// the last, instead of one pass over the whole batch for each step.
namespace fastformer::nn {

/// 256 rows of 256 floats are 256 KiB; packing a weight matrix once more for each block costs some
/// per cent of multiplying by it.
constexpr std::int64_t kBlockRows = 256;

/// In how many parts the threads share `count` blocks.
inline std::int64_t parts_of(std::int64_t count) {
  return std::clamp<std::int64_t>(at::get_num_threads(), 1, std::max<std::int64_t>(count, 1));
}

/// body(part, index) for every block; a thread works through whole parts, the blocks of a part in
/// order. Where the cuts lie depends on the number of threads alone.
template <class Body>
void for_each_block_in_parts(std::int64_t count, const Body& body) {
  const auto parts = parts_of(count);
  at::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto part = begin; part < end; ++part) {
      for (auto i = count * part / parts; i < count * (part + 1) / parts; ++i) body(part, i);
    }
  });
}

/// How many blocks of at most kBlockRows `rows` make, so that every thread gets as many.
inline std::int64_t row_blocks(std::int64_t rows) {
  const auto threads = std::max<std::int64_t>(at::get_num_threads(), 1);
  const auto least = (rows + kBlockRows - 1) / kBlockRows;
  return least < threads ? least : (least + threads - 1) / threads * threads;
}

/// body(part, first, rows) for the blocks of [0, total), which are of about the same size.
template <class Body>
void for_each_row_block(std::int64_t total, const Body& body) {
  const auto count = row_blocks(total);
  for_each_block_in_parts(count, [&](std::int64_t part, std::int64_t index) {
    const auto first = total * index / count;
    body(part, first, total * (index + 1) / count - first);
  });
}

/// Sums that each part forms by itself and that are then added up in order, so that a run repeats
/// bit for bit with the same number of threads.
template <class Real>
class PartialSums {
 public:
  /// `out` [size] is set to zero; it is the first part's and in the end everybody's.
  PartialSums(std::int64_t parts, std::int64_t size, Real* out)
      : size_(size), out_(out), others_((parts - 1) * size) {
    std::fill(out, out + size, Real{0});
  }

  Real* of(std::int64_t part) { return part == 0 ? out_ : &others_[(part - 1) * size_]; }

  void add_up() {
    for (auto part = others_.begin(); part != others_.end(); part += size_) {
      std::transform(part, part + size_, out_, out_, std::plus<>());
    }
  }

 private:
  std::int64_t size_;
  Real* out_;
  std::vector<Real> others_;
};

/// sums [width] += the rows of x [n, width].
template <class Real>
void add_rows(const Real* x, std::int64_t n, std::int64_t width, Real* sums) {
  for (std::int64_t i = 0; i < n; ++i, x += width) {
    for (std::int64_t c = 0; c < width; ++c) sums[c] += x[c];
  }
}

/// sums [width] = the sum of the rows of x [n, width], on all threads.
template <class Real>
void column_sums(const Real* x, std::int64_t n, std::int64_t width, Real* sums) {
  PartialSums<Real> partial(parts_of(row_blocks(n)), width, sums);
  for_each_row_block(n, [&](std::int64_t part, std::int64_t first, std::int64_t rows) {
    add_rows(x + first * width, rows, width, partial.of(part));
  });
  partial.add_up();
}

}  // namespace fastformer::nn
