#include "fastformer/kernels/parallel.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "fastformer/base/usable_cores.h"
#include "fastformer/kernels/thread_pool.h"

namespace fastformer::kernels {
namespace {

// The settings of a scope, which `parallel_for` passes to its threads.
struct ThreadSettings {
  Operands operands = Operands::kFloat;
  std::int64_t threads = 0;  // 0: as many as default_threads()
};

thread_local ThreadSettings settings;
thread_local bool in_part = false;

std::int64_t default_threads() {
  static const std::int64_t threads = [] {
    const char* given = std::getenv("OMP_NUM_THREADS");
    const auto wanted = given == nullptr ? 0 : std::strtoll(given, nullptr, 10);
    return wanted > 0 ? std::min<std::int64_t>(wanted, kMostThreads) : base::usable_cores();
  }();
  return threads;
}

// A loop that several threads share.
struct SharedLoop {
  std::int64_t begin, end, size;  // of the range, and of a part
  void (*body)(const void* context, std::int64_t first, std::int64_t last);
  const void* context;
  ThreadSettings callers;
  std::atomic_flag failed;
  std::exception_ptr error;

  void run_part(std::int64_t part) noexcept {
    const auto own = std::exchange(settings, callers);
    in_part = true;
    const auto first = begin + part * size;
    try {
      body(context, first, std::min(end, first + size));
    } catch (...) {
      if (!failed.test_and_set()) error = std::current_exception();
    }
    in_part = false;
    settings = own;
  }
};

}  // namespace

ComputeScope::ComputeScope(Precision precision, std::int64_t threads)
    : operands_(settings.operands), threads_(settings.threads) {
  if (threads < 0 || threads > kMostThreads) {
    throw std::invalid_argument("expected a number of threads from 0 to " +
                                std::to_string(kMostThreads) + ", got " + std::to_string(threads));
  }
  const bool rounds = resolve_precision(precision) == Precision::kBf16;
  settings.operands = rounds ? Operands::kBf16 : Operands::kFloat;
  if (threads > 0) settings.threads = threads;
}

ComputeScope::~ComputeScope() { settings = {operands_, threads_}; }

Operands token_operands() { return settings.operands; }

std::int64_t thread_count() { return settings.threads > 0 ? settings.threads : default_threads(); }

bool in_parallel_region() { return in_part; }

namespace internal {

void share_range(std::int64_t begin, std::int64_t end, std::int64_t grain,
                 void (*body)(const void* context, std::int64_t first, std::int64_t last),
                 const void* context) {
  auto parts = thread_count();
  if (grain > 0) parts = std::min(parts, (end - begin + grain - 1) / grain);
  const auto size = (end - begin + parts - 1) / parts;
  SharedLoop loop{.begin = begin,
                  .end = end,
                  .size = size,
                  .body = body,
                  .context = context,
                  .callers = {settings.operands, thread_count()}};
  ThreadPool::shared().run(
      (end - begin + size - 1) / size,
      [](void* shared, std::int64_t part) { static_cast<SharedLoop*>(shared)->run_part(part); },
      &loop);
  if (loop.error) std::rethrow_exception(loop.error);
}

}  // namespace internal

}  // namespace fastformer::kernels
