#include "fastformer/nn/memory_meter.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <atomic>
#include <utility>

namespace fastformer::nn {
namespace {

// Above LibTorch's own, so that ours can take their place and give it back.
constexpr std::uint8_t kPriority = 100;

std::atomic<std::int64_t> alive_bytes = 0, peak_bytes = 0;

void count(std::int64_t size) {
  const auto now = alive_bytes += size;
  auto peak = peak_bytes.load();
  while (peak < now && !peak_bytes.compare_exchange_weak(peak, now)) {
  }
}

class CountingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t size) override {
    auto memory = inner->allocate(size);
    void* data = memory.get();
    const auto device = memory.device();
    count(static_cast<std::int64_t>(size));
    return {data, new Block{std::move(memory), size}, &release, device};
  }
  void copy_data(void* to, const void* from, std::size_t size) const override {
    default_copy_data(to, from, size);
  }

  c10::Allocator* inner = nullptr;

 private:
  struct Block {
    c10::DataPtr memory;
    std::size_t size;
  };
  static void release(void* context) {
    auto* block = static_cast<Block*>(context);
    alive_bytes -= static_cast<std::int64_t>(block->size);
    delete block;
  }
};

// Lives on: tensors may be freed after the last meter.
CountingAllocator& counting_allocator() {
  static auto* allocator = new CountingAllocator;
  return *allocator;
}

}  // namespace

MemoryMeter::MemoryMeter() {
  counting_allocator().inner = c10::GetCPUAllocator();
  alive_bytes = 0;
  peak_bytes = 0;
  c10::SetCPUAllocator(&counting_allocator(), kPriority);
}

MemoryMeter::~MemoryMeter() { c10::SetCPUAllocator(counting_allocator().inner, kPriority); }

std::int64_t MemoryMeter::alive() const { return alive_bytes; }
std::int64_t MemoryMeter::peak() const { return peak_bytes; }
void MemoryMeter::forget_peak() { peak_bytes = alive_bytes.load(); }

}  // namespace fastformer::nn
