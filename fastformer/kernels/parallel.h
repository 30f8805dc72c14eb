#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "fastformer/base/library_threads.h"
#include "fastformer/kernels/precision.h"
#include "fastformer/kernels/products/gemm.h"

/// The number of threads of `parallel_for` and the precision of products. Both are settings of the
/// calling thread, so that models with different settings can run at the same time.
namespace fastformer::kernels {

/// The largest number of threads that can be asked for.
constexpr std::int64_t kMostThreads = 4096;

/// Sets both for the calling thread while the object exists. Models create one in each method:
///
///   const ComputeScope scope(options.precision, options.threads);
///   return encoder.forward(x, offsets);  // and everything that it calls
///
/// Operations of LibTorch and its BLAS stay on the calling thread. A backward pass rounds as its
/// forward pass did, in any scope.
class ComputeScope {
 public:
  /// `threads` = 0 keeps the current number of the calling thread. Throws std::invalid_argument
  /// unless `threads` is in [0, kMostThreads].
  explicit ComputeScope(Precision precision, std::int64_t threads = 0);
  ~ComputeScope();
  ComputeScope(const ComputeScope&) = delete;
  ComputeScope& operator=(const ComputeScope&) = delete;

 private:
  Operands operands_;  // the previous settings
  std::int64_t threads_;
  base::OneLibraryThread library_thread_;
};

/// The precision of token rows in products; kFloat outside of any scope.
Operands token_operands();

/// The number of threads of `parallel_for`. Outside of any scope it is the environment variable
/// OMP_NUM_THREADS or, without it, the number of cores that the process may use
/// (`base::usable_cores`).
std::int64_t thread_count();

/// Whether the calling thread is running a part of a `parallel_for` with several threads.
bool in_parallel_region();

namespace internal {
/// Calls `body(context, first, last)` on several threads.
void share_range(std::int64_t begin, std::int64_t end, std::int64_t grain,
                 void (*body)(const void* context, std::int64_t first, std::int64_t last),
                 const void* context);
}  // namespace internal

/// Calls body(first, last) for consecutive parts of [begin, end): at most one part per thread, and
/// at most ceil((end - begin) / grain) parts, all of equal size except the last. They depend only
/// on the range, the grain and the number of threads, not on which thread runs a part: the caller
/// runs all parts that no other thread has started (`thread_pool.h`). The caller's precision
/// applies to all of them. A range of at most `grain` numbers, or inside a parallel region, is one
/// part on the calling thread.
///
/// If bodies throw, the caller gets one of the exceptions after all parts have ended.
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

/// Calls body(i) for every i in [0, count), which threads take one after another: for items that
/// take different times. Otherwise as parallel_for with a grain of one.
template <class Body>
void share_items(std::int64_t count, const Body& body) {
  std::atomic<std::int64_t> next = 0;
  const auto threads = std::min(in_parallel_region() ? 1 : thread_count(), count);
  parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto thread = begin; thread < end; ++thread) {
      for (auto i = next++; i < count; i = next++) body(i);
    }
  });
}

}  // namespace fastformer::kernels
