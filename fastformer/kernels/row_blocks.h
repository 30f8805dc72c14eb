#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "fastformer/kernels/parallel.h"

/// How threads share the rows of a ragged batch. Blocks of rows stay in the L2 cache through all
/// steps of a layer, instead of one pass over the whole batch for each step. Long sequences are
/// divided into pieces, so that a batch with one long sequence also keeps all threads busy.
namespace fastformer::kernels {

/// Scratch memory of the calling thread. It is kept, so that calls do not allocate once it is large
/// enough. Its content is valid until the thread's next request.
template <class Real>
Real* scratch_of(std::int64_t size) {
  thread_local std::vector<Real> scratch;
  if (static_cast<std::int64_t>(scratch.size()) < size) scratch.resize(size);
  return scratch.data();
}

/// 256 rows of 256 floats take 256 KiB. Packing a weight matrix again for each block costs a few
/// percent of the product.
constexpr std::int64_t kBlockRows = 256;

/// Number of parts into which `count` blocks are divided, at most one per thread.
inline std::int64_t parts_of(std::int64_t count) {
  return std::clamp<std::int64_t>(thread_count(), 1, std::max<std::int64_t>(count, 1));
}

/// Calls body(part, index) for every block. A thread processes whole parts, and the blocks of a
/// part in order. The division depends only on the number of threads.
template <class Body>
void for_each_block_in_parts(std::int64_t count, const Body& body) {
  const auto parts = parts_of(count);
  parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto part = begin; part < end; ++part) {
      for (auto i = count * part / parts; i < count * (part + 1) / parts; ++i) body(part, i);
    }
  });
}

/// Number of blocks of at most kBlockRows; rounded up so that all threads get equally many.
inline std::int64_t row_blocks(std::int64_t rows) {
  const auto threads = std::max<std::int64_t>(thread_count(), 1);
  const auto least = (rows + kBlockRows - 1) / kBlockRows;
  return least < threads ? least : (least + threads - 1) / threads * threads;
}

/// Calls body(part, first, rows) for the blocks of [0, total), which have about equal sizes.
template <class Body>
void for_each_row_block(std::int64_t total, const Body& body) {
  const auto count = row_blocks(total);
  for_each_block_in_parts(count, [&](std::int64_t part, std::int64_t index) {
    const auto first = total * index / count;
    body(part, first, total * (index + 1) / count - first);
  });
}

/// Sums that are computed separately by each part and then added in order, so that equal numbers of
/// threads give equal bits.
template <class Real>
class PartialSums {
 public:
  /// Sets `out` [size] to zero; it receives the sum of the first part and, in add_up(), the total.
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

/// Calls body(b, first row, rows) for every sequence. Each thread gets about the same number of
/// consecutive sequences.
template <class Body>
void for_each_sequence(std::span<const std::int64_t> offsets, const Body& body) {
  const auto count = static_cast<std::int64_t>(offsets.size()) - 1;
  parallel_for(0, count, 4, [&](std::int64_t begin, std::int64_t end) {
    for (auto b = begin; b < end; ++b) body(b, offsets[b], offsets[b + 1] - offsets[b]);
  });
}

struct SequenceBlock {
  std::int64_t sequence, first, rows;
  bool whole;  ///< whether it is the only block of its sequence
};

/// Blocks of all sequences, in the order of rows: a sequence of more than `most_rows` rows is
/// divided into blocks of that many; a sequence without rows has one block. The division depends
/// only on the lengths, and so do sums that are added in the order of blocks. 2,048 rows of 256
/// floats take 2 MiB: enough work to make the additions cheap, and small enough that a document of
/// a million tokens keeps hundreds of cores busy.
inline std::vector<SequenceBlock> sequence_blocks(std::span<const std::int64_t> offsets,
                                                  std::int64_t most_rows = 2048) {
  std::vector<SequenceBlock> blocks;
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    const auto end = offsets[b + 1];
    const bool whole = end - offsets[b] <= most_rows;
    auto first = offsets[b];
    do {
      const auto rows = std::min(most_rows, end - first);
      blocks.push_back({static_cast<std::int64_t>(b), first, rows, whole});
      first += rows;
    } while (first < end);
  }
  return blocks;
}

inline bool all_whole(const std::vector<SequenceBlock>& blocks) {
  return std::all_of(blocks.begin(), blocks.end(),
                     [](const SequenceBlock& block) { return block.whole; });
}

/// Calls body(index, block) for every block, spread over the threads.
template <class Body>
void for_each_block(const std::vector<SequenceBlock>& blocks, const Body& body) {
  parallel_for(0, static_cast<std::int64_t>(blocks.size()), 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (auto i = begin; i < end; ++i) body(i, blocks[i]);
               });
}

/// Calls body(sequence, unit) for the units 0 .. units - 1 of every sequence. Each thread gets
/// about the same number of rows. Units of one sequence may run on different threads.
template <class Body>
void for_each_unit(const std::vector<std::int64_t>& offsets, std::int64_t units, const Body& body) {
  const auto sequences = static_cast<std::int64_t>(offsets.size()) - 1;
  // A sequence without rows counts as one row, so that it has its own position.
  const auto start = [&](std::int64_t b, std::int64_t unit) {
    return (offsets[b] + b) * units + unit * (offsets[b + 1] - offsets[b] + 1);
  };
  const auto total = (offsets.back() + sequences) * units;
  parallel_for(0, total, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = 0; b < sequences; ++b) {
      for (std::int64_t unit = 0; unit < units; ++unit) {
        const auto at = start(b, unit);
        if (at >= begin && at < end) body(b, unit);
      }
    }
  });
}

/// Number of units per sequence, at most `most`, that keeps all threads busy: one if there are
/// enough sequences and none is much longer than the others.
inline std::int64_t useful_units(const std::vector<std::int64_t>& offsets, std::int64_t most) {
  std::int64_t longest = 0;
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    longest = std::max(longest, offsets[b + 1] - offsets[b]);
  }
  const auto total = std::max<std::int64_t>(offsets.back(), 1);
  return std::min(4 * thread_count() * longest / total + 1, most);
}

}  // namespace fastformer::kernels
