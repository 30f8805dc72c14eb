#include "fastformer/nn/tensor_memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>  // __GLIBC__
#include <mutex>
#include <string>
#include <unordered_map>

#include "fastformer/base/arena.h"
#include "fastformer/base/out_of_memory.h"

namespace fastformer::nn {

namespace {

// LibTorch's own allocator has priority 0.
constexpr std::uint8_t kArenaPriority = 100;
// Smaller blocks come from the C library's heap.
constexpr std::size_t kLeastSize = 1 << 20;
constexpr std::size_t kAlignment = 64;

// Never destroyed: tensors may be freed after main().
base::Arena& arena() {
  static auto* const kept = new base::Arena(std::size_t{1} << 40);
  return *kept;
}

// Libraries below LibTorch use bare pointers, so one function frees the blocks of both allocators.
class ArenaAllocator final : public c10::Allocator {
 public:
  explicit ArenaAllocator(c10::Allocator* allocator) { system_allocator = allocator; }

  c10::DataPtr allocate(std::size_t size) override {
    void* block = size < kLeastSize ? nullptr : arena().allocate(size);
    if (block == nullptr) block = allocate_otherwise(size);
    return {block, block, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t size) const override {
    default_copy_data(to, from, size);
  }

 private:
  // LibTorch's allocator ends the process where memory runs out, so it is tried before.
  static void* allocate_otherwise(std::size_t size) {
    void* trial = nullptr;
    if (size >= kLeastSize && ::posix_memalign(&trial, kAlignment, size) != 0) {
      throw base::OutOfMemory("a tensor of " + std::to_string(size >> 20) + " MB");
    }
    std::free(trial);
    return system_allocator->raw_allocate(size);
  }
  static void release(void* block) {
    if (arena().contains(block)) {
      arena().release(block);
    } else {
      system_allocator->raw_deallocate(block);
    }
  }

  inline static c10::Allocator* system_allocator = nullptr;
};

}  // namespace

void keep_freed_memory() {
#if defined(__GLIBC__)
  // The largest threshold that glibc takes: blocks above it always come straight from the system.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
  static auto* const allocator = new ArenaAllocator(c10::GetCPUAllocator());
  c10::SetCPUAllocator(allocator, kArenaPriority);
}

namespace {

// Above LibTorch's own, so that ours can replace it and restore it.
constexpr std::uint8_t kMeterPriority = 100;

// The live blocks with their sizes.
class Ledger {
 public:
  void add(void* block, std::int64_t size) {
    const std::lock_guard lock(mutex_);
    sizes_.insert_or_assign(block, size);
    alive_ += size;
    peak_ = std::max(peak_, alive_);
  }
  void remove(void* block) {
    const std::lock_guard lock(mutex_);
    const auto found = sizes_.find(block);
    if (found == sizes_.end()) return;  // from before the meter
    alive_ -= found->second;
    sizes_.erase(found);
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    sizes_.clear();
    alive_ = peak_ = 0;
  }
  void forget_peak() {
    const std::lock_guard lock(mutex_);
    peak_ = alive_;
  }
  std::int64_t alive() const {
    const std::lock_guard lock(mutex_);
    return alive_;
  }
  std::int64_t peak() const {
    const std::lock_guard lock(mutex_);
    return peak_;
  }

 private:
  std::unordered_map<void*, std::int64_t> sizes_;  // bytes
  std::int64_t alive_ = 0, peak_ = 0;              // bytes
  mutable std::mutex mutex_;
};

// Never destroyed: tensors may be freed after the last meter.
Ledger& ledger() {
  static auto* const kept = new Ledger;
  return *kept;
}

// A block may predate the meter, so the allocator below must be able to free it: bare pointers are
// freed by its function.
class CountingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t size) override {
    void* block = inner->raw_allocate(size);
    if (block != nullptr) ledger().add(block, static_cast<std::int64_t>(size));
    return {block, block, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t size) const override {
    default_copy_data(to, from, size);
  }

  inline static c10::Allocator* inner = nullptr;

 private:
  static void release(void* block) {
    ledger().remove(block);
    inner->raw_deallocate(block);
  }
};

CountingAllocator& counting_allocator() {
  static auto* const allocator = new CountingAllocator;
  return *allocator;
}

}  // namespace

MemoryMeter::MemoryMeter() {
  CountingAllocator::inner = c10::GetCPUAllocator();
  ledger().clear();
  c10::SetCPUAllocator(&counting_allocator(), kMeterPriority);
}

MemoryMeter::~MemoryMeter() { c10::SetCPUAllocator(CountingAllocator::inner, kMeterPriority); }

std::int64_t MemoryMeter::alive() const { return ledger().alive(); }
std::int64_t MemoryMeter::peak() const { return ledger().peak(); }
void MemoryMeter::forget_peak() { ledger().forget_peak(); }

}  // namespace fastformer::nn
