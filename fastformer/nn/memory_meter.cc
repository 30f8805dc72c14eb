#include "fastformer/nn/memory_meter.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

namespace fastformer::nn {
namespace {

// Above LibTorch's own, so that ours can take their place and give it back.
constexpr std::uint8_t kPriority = 100;

// What the meter knows of the blocks that are alive.
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

// Lives on, as tensors may be freed after the last meter.
Ledger& ledger() {
  static auto* const kept = new Ledger;
  return *kept;
}

// The block is that of the allocator below, whose function frees it: whoever has a bare pointer may
// have it from before the meter.
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
  c10::SetCPUAllocator(&counting_allocator(), kPriority);
}

MemoryMeter::~MemoryMeter() { c10::SetCPUAllocator(CountingAllocator::inner, kPriority); }

std::int64_t MemoryMeter::alive() const { return ledger().alive(); }
std::int64_t MemoryMeter::peak() const { return ledger().peak(); }
void MemoryMeter::forget_peak() { ledger().forget_peak(); }

}  // namespace fastformer::nn
