#include "fastformer/text/vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace fastformer::text {
namespace {

TEST(TokenCounterTest, CountsEverythingBelowTheLimit) {
  TokenCounter counter;
  for (int i = 0; i < 1000; ++i) counter.add("word" + std::to_string(i % 10));
  EXPECT_EQ(counter.counts().size(), 10u);
  EXPECT_EQ(counter.counts().at("word3"), 100);
  EXPECT_EQ(counter.take().size(), 10u);
}

TEST(TokenCounterTest, ForgetsTheRarestAboveTheLimit) {
  constexpr std::size_t kLimit = 100;
  TokenCounter counter(kLimit);
  std::size_t most = 0;
  for (int i = 0; i < 10'000; ++i) {
    counter.add("frequent" + std::to_string(i % 20));
    counter.add("rare" + std::to_string(i));
    most = std::max(most, counter.counts().size());
  }
  EXPECT_EQ(most, kLimit);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(counter.counts().at("frequent" + std::to_string(i)), 500);
  }
}

TEST(TokenCounterTest, ForgetsEqualCountsTogether) {
  TokenCounter counter(10);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 10; ++i) counter.add(std::to_string(i));
  }
  counter.add("new");
  EXPECT_LE(counter.counts().size(), 10u);
}

}  // namespace
}  // namespace fastformer::text
