#include "fastformer/kernels/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

namespace fastformer::kernels {
namespace {

void run(std::int64_t parts, std::function<void(std::int64_t)> body) {
  ThreadPool::shared().run(
      parts,
      [](void* context, std::int64_t part) {
        (*static_cast<std::function<void(std::int64_t)>*>(context))(part);
      },
      &body);
}

std::int64_t sum_of_parts(std::int64_t parts) {
  std::atomic<std::int64_t> sum = 0;
  run(parts, [&](std::int64_t part) { sum += part + 1; });
  return sum;
}

TEST(ThreadPool, DoesEachPartOnceAndWaitsForAll) {
  for (const std::int64_t parts : {1, 2, 3, 8}) {
    std::vector<int> done(static_cast<std::size_t>(parts));
    for (int repetition = 0; repetition < 1000; ++repetition) {
      run(parts, [&](std::int64_t part) { ++done[static_cast<std::size_t>(part)]; });
    }
    for (const int count : done) EXPECT_EQ(count, 1000);
  }
}

TEST(ThreadPool, ServesManyCallersAtOnce) {
  std::array<std::int64_t, 8> wrong = {};
  std::vector<std::thread> callers;
  for (auto& count : wrong) {
    callers.emplace_back([&count] {
      for (int repetition = 0; repetition < 300; ++repetition) count += sum_of_parts(4) != 10;
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(wrong, (std::array<std::int64_t, 8>{}));
}

TEST(ThreadPool, StartsThePartsOfACallerInsideAPart) {
  std::atomic<std::int64_t> sum = 0;
  run(2, [&](std::int64_t) { sum += sum_of_parts(3); });
  EXPECT_EQ(sum, 12);
}

// All threads of the pool sleep inside the parts of one caller; another caller needs none of them.
TEST(ThreadPool, NoCallerWaitsForAThreadThatHasNotBegun) {
  std::atomic<bool> release = false;
  std::atomic<int> inside = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::thread other([&] {
    run(16, [&](std::int64_t) {
      ++inside;
      while (!release && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    });
  });
  while (inside < 16 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_EQ(inside, 16);
  EXPECT_EQ(sum_of_parts(16), 136);
  EXPECT_LT(std::chrono::steady_clock::now(), end);
  release = true;
  other.join();
}

#if !defined(__SANITIZE_THREAD__)  // which follows no fork of a process with threads
TEST(ThreadPool, WorksInTheChildOfAFork) {
  if (std::getenv("FASTFORMER_EMULATED") != nullptr) {
    GTEST_SKIP() << "qemu-user 7.2 stops at a fork of a process with threads";
  }
  EXPECT_EQ(sum_of_parts(3), 6);
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);
    _exit(sum_of_parts(3) == 6 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}
#endif

}  // namespace
}  // namespace fastformer::kernels
