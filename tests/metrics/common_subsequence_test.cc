#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "fastformer/metrics/rouge/rouge.h"

namespace fastformer::metrics {
namespace {

using Words = std::vector<std::int32_t>;

// The table of lengths and the way back through it, one step a line.
std::vector<char> marked_by_definition(const Words& reference, const Words& candidate,
                                       std::size_t& length) {
  const auto m = reference.size(), n = candidate.size();
  std::vector<std::vector<std::size_t>> table(m + 1, std::vector<std::size_t>(n + 1));
  for (std::size_t i = 1; i <= m; ++i) {
    for (std::size_t j = 1; j <= n; ++j) {
      table[i][j] = reference[i - 1] == candidate[j - 1]
                        ? table[i - 1][j - 1] + 1
                        : std::max(table[i - 1][j], table[i][j - 1]);
    }
  }
  length = table[m][n];
  std::vector<char> marked(m);
  for (std::size_t i = m, j = n; i > 0 && j > 0;) {
    if (reference[i - 1] == candidate[j - 1]) {
      marked[--i] = 1;
      --j;
    } else if (table[i][j - 1] > table[i - 1][j]) {
      --j;
    } else {
      --i;
    }
  }
  return marked;
}

TEST(CommonSubsequence, IsThatOfTheDefinitionForAllSizes) {
  std::mt19937 random(1);
  CommonSubsequence matcher;
  for (const std::size_t m : {0, 1, 63, 64, 65, 130, 300}) {
    for (const std::size_t n : {0, 1, 64, 255, 256, 257, 513, 700}) {
      for (const int words : {2, 30, 400}) {
        Words reference(m), candidate(n);
        for (auto& word : reference) word = static_cast<std::int32_t>(random() % words);
        for (auto& word : candidate) word = static_cast<std::int32_t>(random() % words);
        std::size_t length = 0;
        const auto expected = marked_by_definition(reference, candidate, length);
        matcher.set_reference(reference);
        EXPECT_EQ(matcher.length(candidate), length);
        std::vector<char> marked(m);
        matcher.mark(candidate, marked);
        EXPECT_EQ(marked, expected) << m << ' ' << n << ' ' << words;
      }
    }
  }
}

// A table of all pairs would have 10 billion entries, one bit each 1.2 GB.
TEST(CommonSubsequence, LongTextsOfDistinctWordsNeedLittleMemory) {
  Words words(100'000);
  std::iota(words.begin(), words.end(), 0);
  auto reversed = words;
  std::reverse(reversed.begin(), reversed.begin() + 50'000);
  CommonSubsequence matcher;
  matcher.set_reference(words);
  EXPECT_EQ(matcher.length(reversed), 50'001u);
  std::vector<char> marked(words.size());
  matcher.mark(reversed, marked);
  EXPECT_EQ(std::count(marked.begin(), marked.end(), 1), 50'001);
}

}  // namespace
}  // namespace fastformer::metrics
