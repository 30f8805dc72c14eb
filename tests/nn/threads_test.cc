// LibTorch's own operations under a scope of ours.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <thread>

#include "fastformer/kernels/parallel.h"

namespace fastformer::nn {
namespace {

using kernels::ComputeScope;
using kernels::Precision;

TEST(Threads, LibTorchStaysOnTheThreadOfAScope) {
  const auto before = at::get_num_threads();
  {
    const ComputeScope scope(Precision::kFp32, 3);
    EXPECT_EQ(at::get_num_threads(), 1);
    const ComputeScope inner(Precision::kFp32, 1);
    EXPECT_EQ(at::get_num_threads(), 1);
  }
  EXPECT_EQ(at::get_num_threads(), before);
}

// On a new thread LibTorch's first operation sets the number of threads.
TEST(Threads, LibTorchStaysOnTheThreadOfTheFirstScope) {
  const auto before = at::get_num_threads();
  std::thread([&] {
    {
      const ComputeScope scope(Precision::kFp32, 3);
      EXPECT_EQ(at::ones({1000, 1000}).sum().item<float>(), 1e6F);
      EXPECT_EQ(at::get_num_threads(), 1);
      EXPECT_EQ(kernels::thread_count(), 3);
    }
    EXPECT_EQ(at::get_num_threads(), before);
  }).join();
}

}  // namespace
}  // namespace fastformer::nn
