#pragma once

#include <cstdint>

#include "fastformer/kernels/gemm.h"
#include "fastformer/kernels/precision.h"

/// Number of threads of `parallel_for` and precision of products. Both belong to the calling
/// thread, so that models with different settings can run at the same time.
namespace fastformer::kernels {

/// Sets both for the calling thread until the scope ends. A model opens one in each of its methods:
///
///   const ComputeScope scope(options.precision, options.threads);
///   return encoder.forward(x, offsets);  // and everything that it calls
///
/// The number of threads also applies to LibTorch's operations and its BLAS. A backward pass rounds
/// as its forward pass did, in any scope.
class ComputeScope {
 public:
  /// `threads`: 0 keeps the number that the calling thread has. Throws std::invalid_argument for a
  /// negative number.
  explicit ComputeScope(Precision precision, std::int64_t threads = 0);
  ~ComputeScope();
  ComputeScope(const ComputeScope&) = delete;
  ComputeScope& operator=(const ComputeScope&) = delete;

 private:
  Operands operands_;  // of before, as all that follows
  int threads_;
  int openmp_threads_, blas_threads_;
};

/// Precision of token rows in products: kFloat outside of every scope.
Operands token_operands();

/// Number of threads of `parallel_for`. Outside of every scope LibTorch's number: OMP_NUM_THREADS,
/// at most one per core.
std::int64_t thread_count();

/// Whether the caller runs on one of several threads of a `parallel_for`.
bool in_parallel_region();

namespace internal {
/// Several threads call `body(context, first, last)`.
void share_range(std::int64_t begin, std::int64_t end, std::int64_t grain,
                 void (*body)(const void* context, std::int64_t first, std::int64_t last),
                 const void* context);
}  // namespace internal

/// body(first, last) for consecutive parts of [begin, end) of equal size, the last one smaller, at
/// most one part for each thread and none below `grain` numbers unless it is the last. The parts
/// depend only on the range, the grain and the number of threads. The caller is one of the threads,
/// and its precision applies to all of them. A range of at most `grain` numbers, or inside a
/// parallel region, is one part on the calling thread.
///
/// An exception of a body reaches the caller when all parts have ended; if there are several, one
/// of them.
template <class Body>
void parallel_for(std::int64_t begin, std::int64_t end, std::int64_t grain, const Body& body) {
  if (begin >= end) return;
  const auto count = end - begin;
  if (count == 1 || count <= grain || in_parallel_region() || thread_count() == 1) {
    body(begin, end);
    return;
  }
  internal::share_range(
      begin, end, grain,
      [](const void* context, std::int64_t first, std::int64_t last) {
        (*static_cast<const Body*>(context))(first, last);
      },
      &body);
}

}  // namespace fastformer::kernels
