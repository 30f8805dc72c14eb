// What a layer keeps for its backward pass, counted by an allocator.
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "fastformer/nn/layers/feed_forward.h"
#include "fastformer/nn/mixers/additive_attention.h"
#include "fastformer/nn/tensor_memory.h"

namespace fastformer::nn {
namespace {

// Bytes that are alive after the call, without its result, as a share of the bytes of its input.
template <class Layer>
double kept_share(const at::Tensor& x, const Layer& layer) {
  const MemoryMeter meter;
  const auto y = layer(x);
  const auto kept = meter.alive() - static_cast<std::int64_t>(y.nbytes());
  return static_cast<double>(kept) / static_cast<double>(x.nbytes());
}

// The input itself is one share; the block may keep a quarter more: three [h, d] matrices for each
// sequence and a few [d, d] for the batch.
TEST(KeptMemory, AnAttentionBlockKeepsLittleMoreThanItsInput) {
  ParameterStore store(1);
  const AdditiveAttention attention(model::MixerShape{}, model::AdditiveFields{}, store,
                                    "attention");
  for (const auto& [count, length] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {1, 16384}, {16, 1024}, {32, 512}, {43, 383}, {64, 256}}) {
    const auto x = at::randn({count * length, 256}).requires_grad_(true);
    std::vector<std::int64_t> offsets;
    for (std::int64_t b = 0; b <= count; ++b) offsets.push_back(b * length);
    const auto share = kept_share(
        x, [&](const auto& v) { return attention.forward(v, Offsets(offsets), nullptr); });
    EXPECT_GT(share, 0) << length;  // the global vectors
    EXPECT_LE(share, 0.25) << length;
    const at::NoGradGuard no_gradient;
    EXPECT_LE(
        kept_share(x,
                   [&](const auto& v) { return attention.forward(v, Offsets(offsets), nullptr); }),
        0)
        << length;
  }
}

TEST(KeptMemory, AFeedForwardBlockKeepsWhatItsActivationSaw) {
  ParameterStore store(1);
  const Linear input(store, "input", 64, 64), output(store, "output", 64, 64);
  const auto x = at::randn({1000, 64}).requires_grad_(true);
  const auto share = kept_share(
      x, [&](const auto& v) { return feed_forward(v, input, output, kernels::Activation::kGelu); });
  EXPECT_NEAR(share, 1, 0.01);
}

TEST(MemoryMeter, CountsWhatIsAliveAndItsPeak) {
  MemoryMeter meter;
  auto outlives = at::empty({250});
  EXPECT_EQ(meter.alive(), 1000);
  {
    const auto passing = at::empty({1000});
  }
  EXPECT_EQ(meter.alive(), 1000);
  EXPECT_EQ(meter.peak(), 5000);
  meter.forget_peak();
  EXPECT_EQ(meter.peak(), 1000);
}

}  // namespace
}  // namespace fastformer::nn
