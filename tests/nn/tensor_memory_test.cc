#include "fastformer/nn/tensor_memory.h"

#include <ATen/ATen.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

#include "fastformer/base/out_of_memory.h"
#include "support/temporary_folder.h"

namespace fastformer::nn {
namespace {

constexpr std::size_t kSizes[] = {0, 64, 4 << 20};

void use_bare_pointers() {
  auto* const allocator = c10::GetCPUAllocator();
  for (const auto size : kSizes) {
    void* const block = allocator->raw_allocate(size);
    if (size > 0) std::memset(block, 1, size);
    allocator->raw_deallocate(block);
  }
}

TEST(TensorMemory, ServesLibrariesThatTakeBarePointers) {
  keep_freed_memory();
  use_bare_pointers();
  MemoryMeter meter;
  use_bare_pointers();
  EXPECT_EQ(meter.alive(), 0);
  EXPECT_GE(meter.peak(), 4 << 20);
}

TEST(TensorMemory, TakesBackWhatWasGivenBeforeTheMeter) {
  keep_freed_memory();
  auto* const before = c10::GetCPUAllocator();
  void* const old = before->raw_allocate(4 << 20);
  void* counted = nullptr;
  {
    MemoryMeter meter;
    c10::GetCPUAllocator()->raw_deallocate(old);
    EXPECT_EQ(meter.alive(), 0);
    counted = c10::GetCPUAllocator()->raw_allocate(2 << 20);
    EXPECT_EQ(meter.alive(), 2 << 20);
  }
  before->raw_deallocate(counted);
}

TEST(TensorMemory, SaysHowLargeATensorWas) {
  keep_freed_memory();
  const auto ask = [] { at::empty({std::int64_t{1} << 50}, at::kByte); };
  EXPECT_EQ(testing::error_of<base::OutOfMemory>(ask),
            "there is not enough memory for a tensor of 1073741824 MB");
}

TEST(TensorMemory, ConvolvesLargeTensors) {
  keep_freed_memory();
  const auto x = at::ones({300, 64, 50}), weight = at::ones({150, 64, 3});
  const auto y = at::conv1d(x, weight, {}, 1, 1);
  EXPECT_EQ(y.sizes(), at::IntArrayRef({300, 150, 50}));
  EXPECT_FLOAT_EQ(y[299][149][25].item<float>(), 3 * 64);
}

}  // namespace
}  // namespace fastformer::nn
