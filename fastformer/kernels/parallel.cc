#include "fastformer/kernels/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#if defined(_OPENMP)
#include <omp.h>
#else
// Compiled without OpenMP, all parts run on the calling thread.
static int omp_get_max_threads() { return 1; }
static int omp_get_num_threads() { return 1; }
static int omp_get_thread_num() { return 0; }
static int omp_in_parallel() { return 0; }
static void omp_set_num_threads(int /*count*/) {}
#endif

// NOLINTBEGIN(readability-identifier-naming): the names of MKL; weak, because other BLAS do not
// have them.
extern "C" {
int MKL_Get_Max_Threads() __attribute__((weak));
int MKL_Set_Num_Threads_Local(int count) __attribute__((weak));
}
// NOLINTEND(readability-identifier-naming)

namespace fastformer::kernels {
namespace {

// The settings of a scope, which `parallel_for` passes to its threads.
struct ThreadSettings {
  Operands operands = Operands::kFloat;
  int threads = 0;  // 0: those of OpenMP
};

thread_local ThreadSettings settings;

// In its first operation on a thread, LibTorch lowers OpenMP's number of threads to MKL's, which
// counts cores. Our call may come earlier.
int openmp_threads() {
  thread_local bool lowered = false;
  if (!lowered && MKL_Get_Max_Threads != nullptr) omp_set_num_threads(MKL_Get_Max_Threads());
  lowered = true;
  return omp_get_max_threads();
}

// The number before.
int set_blas_threads(int count) {
  return MKL_Set_Num_Threads_Local == nullptr ? 0 : MKL_Set_Num_Threads_Local(count);
}

}  // namespace

ComputeScope::ComputeScope(Precision precision, std::int64_t threads)
    : operands_(settings.operands),
      threads_(settings.threads),
      openmp_threads_(0),
      blas_threads_(0) {
  if (threads < 0) {
    throw std::invalid_argument("expected a number of threads of at least 0, got " +
                                std::to_string(threads));
  }
  const bool rounds = resolve_precision(precision) == Precision::kBf16;
  settings.operands = rounds ? Operands::kBf16 : Operands::kFloat;
  if (threads == 0) return;
  openmp_threads_ = openmp_threads();
  settings.threads = static_cast<int>(threads);
  omp_set_num_threads(settings.threads);
  blas_threads_ = set_blas_threads(settings.threads);
}

ComputeScope::~ComputeScope() {
  settings = {operands_, threads_};
  if (openmp_threads_ == 0) return;
  omp_set_num_threads(openmp_threads_);
  set_blas_threads(blas_threads_);
}

Operands token_operands() { return settings.operands; }

std::int64_t thread_count() { return settings.threads > 0 ? settings.threads : openmp_threads(); }

bool in_parallel_region() { return omp_in_parallel() != 0; }

namespace internal {

void share_range(std::int64_t begin, std::int64_t end, std::int64_t grain,
                 void (*body)(const void* context, std::int64_t first, std::int64_t last),
                 const void* context) {
  const ThreadSettings callers{settings.operands, static_cast<int>(thread_count())};
  // LibTorch's first operation on a thread may have set another number since the scope began. All
  // threads take part, even where there are fewer parts: a team of another size each time would
  // make GCC's OpenMP end and start threads.
  if (omp_get_max_threads() != callers.threads) omp_set_num_threads(callers.threads);
  std::atomic_flag failed;
  std::exception_ptr error;
#pragma omp parallel
  {
    const auto own = std::exchange(settings, callers);
    std::int64_t parts = omp_get_num_threads();
    if (grain > 0) parts = std::min(parts, (end - begin + grain - 1) / grain);
    const auto size = (end - begin + parts - 1) / parts;
    const auto first = begin + omp_get_thread_num() * size;
    if (first < end) {
      try {
        body(context, first, std::min(end, first + size));
      } catch (...) {
        if (!failed.test_and_set()) error = std::current_exception();
      }
    }
    settings = own;
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace internal

}  // namespace fastformer::kernels
