#include "fastformer/nn/tensor_memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <cstdlib>  // __GLIBC__

#include "fastformer/base/arena.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace fastformer::nn {
namespace {

// LibTorch's own has 0.
constexpr std::uint8_t kPriority = 100;
// What is smaller finds its pages in the C library's heap.
constexpr std::size_t kLeastSize = 1 << 20;

// Lives on: tensors may be freed after main().
base::Arena& arena() {
  static auto* const kept = new base::Arena(std::size_t{1} << 40);
  return *kept;
}

// Libraries below LibTorch take and free bare pointers, so one function frees what either gave.
class ArenaAllocator final : public c10::Allocator {
 public:
  explicit ArenaAllocator(c10::Allocator* other) { other_ = other; }

  c10::DataPtr allocate(std::size_t size) override {
    void* block = size < kLeastSize ? nullptr : arena().allocate(size);
    if (block == nullptr) block = other_->raw_allocate(size);
    return {block, block, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t size) const override {
    default_copy_data(to, from, size);
  }

 private:
  static void release(void* block) {
    if (arena().contains(block)) {
      arena().release(block);
    } else {
      other_->raw_deallocate(block);
    }
  }

  inline static c10::Allocator* other_ = nullptr;
};

}  // namespace

void keep_freed_memory() {
#if defined(__GLIBC__)
  // The largest threshold that glibc takes: blocks above it always come straight from the system.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
  static auto* const allocator = new ArenaAllocator(c10::GetCPUAllocator());
  c10::SetCPUAllocator(allocator, kPriority);
}

}  // namespace fastformer::nn
