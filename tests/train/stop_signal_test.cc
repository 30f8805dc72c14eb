#include "fastformer/train/stop_signal.h"

#include <gtest/gtest.h>

#include <csignal>
#include <stdexcept>

namespace fastformer::train {
namespace {

volatile std::sig_atomic_t former_calls = 0;
void count_call(int) { former_calls = former_calls + 1; }

TEST(StopSignal, RemembersInterruptAndTermination) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    StopSignal stop;
    EXPECT_FALSE(stop.requested());
    std::raise(number);
    EXPECT_TRUE(stop.requested());
    EXPECT_EQ(stop.signal(), number);
  }
}

TEST(StopSignal, SurvivesRepeatedTermination) {
  StopSignal stop;
  for (int i = 0; i < 3; ++i) std::raise(SIGTERM);
  EXPECT_TRUE(stop.requested());
}

TEST(StopSignal, LeavesAnIgnoredHangupIgnored) {
  const auto former = std::signal(SIGHUP, SIG_IGN);
  {
    StopSignal stop;
    std::raise(SIGHUP);
    EXPECT_FALSE(stop.requested());
  }
  std::raise(SIGHUP);  // still ignored
  std::signal(SIGHUP, former);
}

TEST(StopSignal, RestoresTheFormerHandlers) {
  former_calls = 0;
  const auto interrupt = std::signal(SIGINT, count_call);
  const auto terminate = std::signal(SIGTERM, count_call);
  {
    StopSignal stop;
    std::raise(SIGINT);
    EXPECT_EQ(former_calls, 0);
  }
  std::raise(SIGINT);
  std::raise(SIGTERM);
  EXPECT_EQ(former_calls, 2);
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, terminate);
}

TEST(StopSignal, OnlyOneLives) {
  StopSignal stop;
  EXPECT_THROW(StopSignal(), std::logic_error);
  std::raise(SIGTERM);
  EXPECT_TRUE(stop.requested());
}

TEST(StopSignalDeathTest, SecondInterruptEndsTheProcess) {
  EXPECT_EXIT(
      {
        StopSignal stop;
        std::raise(SIGINT);
        std::raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace fastformer::train
