// What a layer keeps for its backward pass, counted by an allocator.
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <atomic>

#include "fastformer/nn/additive_attention.h"
#include "fastformer/nn/feed_forward.h"

namespace fastformer::nn {
namespace {

// Counts the bytes of tensors that are alive; the memory is the default allocator's.
class CountingAllocator final : public c10::Allocator {
 public:
  explicit CountingAllocator(c10::Allocator* inner) : inner_(inner) {}

  c10::DataPtr allocate(std::size_t size) override {
    auto memory = inner_->allocate(size);
    void* data = memory.get();
    alive += static_cast<std::int64_t>(size);
    return {data, new Block{std::move(memory), size}, &release, memory.device()};
  }
  void copy_data(void* to, const void* from, std::size_t size) const override {
    default_copy_data(to, from, size);
  }

  static inline std::atomic<std::int64_t> alive = 0;

 private:
  struct Block {
    c10::DataPtr memory;
    std::size_t size;
  };
  static void release(void* context) {
    auto* block = static_cast<Block*>(context);
    alive -= static_cast<std::int64_t>(block->size);
    delete block;
  }

  c10::Allocator* inner_;
};

// Bytes that are alive after the call, its result left out, as a share of the bytes of its input.
template <class Layer>
double kept_share(const at::Tensor& x, const Layer& layer) {
  const auto before = CountingAllocator::alive.load();
  const auto y = layer(x);
  const auto kept = CountingAllocator::alive - before - static_cast<std::int64_t>(y.nbytes());
  return static_cast<double>(kept) / static_cast<double>(x.nbytes());
}

class KeptMemory : public ::testing::Test {
 protected:
  void SetUp() override {
    before_ = c10::GetCPUAllocator();
    static CountingAllocator counting(before_);
    c10::SetCPUAllocator(&counting, /*priority=*/100);
  }
  void TearDown() override { c10::SetCPUAllocator(before_, /*priority=*/100); }

 private:
  c10::Allocator* before_ = nullptr;
};

// The input itself is one share; the block may keep a quarter more: four [h, d] matrices for each
// sequence and a few [d, d] for the batch.
TEST_F(KeptMemory, AnAttentionBlockKeepsLittleMoreThanItsInput) {
  ParameterStore store(1);
  const AdditiveAttention attention(EncoderConfig{}, store, "attention");
  for (const auto& [count, length] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {1, 16384}, {16, 1024}, {32, 512}, {43, 383}}) {
    const auto x = at::randn({count * length, 256}).requires_grad_(true);
    std::vector<std::int64_t> offsets;
    for (std::int64_t b = 0; b <= count; ++b) offsets.push_back(b * length);
    const auto share = kept_share(
        x, [&](const auto& v) { return attention.forward(v, Offsets(offsets), nullptr); });
    EXPECT_GT(share, 0) << length;  // the global vectors
    EXPECT_LE(share, 0.25) << length;
    const at::NoGradGuard no_gradient;
    EXPECT_LE(kept_share(
                  x, [&](const auto& v) { return attention.forward(v, Offsets(offsets), nullptr); }),
              0)
        << length;
  }
}

TEST_F(KeptMemory, AFeedForwardBlockKeepsWhatItsActivationSaw) {
  ParameterStore store(1);
  const Linear input(store, "input", 64, 64), output(store, "output", 64, 64);
  const auto x = at::randn({1000, 64}).requires_grad_(true);
  const auto share = kept_share(x, [&](const auto& v) {
    return feed_forward(v, input, output, kernels::Activation::kGelu);
  });
  EXPECT_NEAR(share, 1, 0.01);
}

}  // namespace
}  // namespace fastformer::nn
