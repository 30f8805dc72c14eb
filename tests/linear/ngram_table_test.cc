#include "fastformer/linear/ngram_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace fastformer::linear {
namespace {

NgramTable table_of(const std::vector<std::string>& texts, const NgramConfig& config) {
  return NgramTable::learn(config, {}, [&](const auto& use) {
    for (const auto& text : texts) use(text);
  });
}

TEST(NgramTableTest, KnowsWhatTwoTextsHave) {
  std::vector<std::string> texts = {"oil falls", "oil oil rises", "tin rises", "oil"};
  EXPECT_EQ(table_of(texts, {.words = 1, .characters = 0}).size(), 4);  // of few texts: all
  texts.resize(3000);
  const auto table = table_of(texts, {.words = 1, .characters = 0});
  EXPECT_EQ(table.size(), 2);
  std::vector<std::int32_t> columns;
  table.encode("Oil and tin and oil rises", columns);
  EXPECT_EQ(columns, (std::vector<std::int32_t>{0, 0, 1}));  // the more frequent one first
  const auto spellings = table.spellings("rises, OIL, oil");
  ASSERT_EQ(spellings.size(), 2u);
  EXPECT_EQ(spellings[0], (std::pair<std::int32_t, std::string>(1, "rises")));
  EXPECT_EQ(spellings[1], (std::pair<std::int32_t, std::string>(0, "oil")));
}

TEST(NgramTableTest, KeysMakeTheSameTable) {
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) {
    texts.push_back("word" + std::to_string(i % 50) + " of text" + std::to_string(i % 7));
  }
  const auto table = table_of(texts, {.words = 3, .characters = 4});
  EXPECT_GT(table.size(), 200);
  const NgramTable copy(table.config(), {}, {table.keys().begin(), table.keys().end()});
  const auto head = table.most_frequent(20);
  EXPECT_EQ(head.size(), 20);
  for (const auto& text : texts) {
    std::vector<std::int32_t> a, b, c, expected;
    table.encode(text, a);
    copy.encode(text, b);
    head.encode(text, c);
    EXPECT_EQ(a, b);
    for (const auto column : a) {
      if (column < 20) expected.push_back(column);
    }
    EXPECT_EQ(c, expected);
  }
}

std::vector<std::int32_t> encoded(const NgramTable& table, const std::string& text) {
  std::vector<std::int32_t> columns;
  table.encode(text, columns);
  return columns;
}

TEST(NgramTableTest, AFullCacheGivesTheSameColumns) {
  // More words than the cache holds, some of them too long for it.
  std::vector<std::string> texts;
  for (int i = 0; i < 400; ++i) {
    std::string text = std::string(70 + static_cast<std::size_t>(i % 7), 'x') + " ";
    for (int word = 0; word < 100; ++word) text += "w" + std::to_string(100 * i + word) + " ";
    texts.push_back(text);
  }
  const auto table = table_of(texts, {.words = 2, .characters = 4});
  ASSERT_GT(table.size(), 1000);
  for (int round = 0; round < 2; ++round) {
    for (const auto& text : texts) {
      const auto columns = encoded(table, text);
      std::set<std::int32_t> spelled;
      for (const auto& [column, spelling] : table.spellings(text)) spelled.insert(column);
      EXPECT_EQ(std::set(columns.begin(), columns.end()), spelled);
    }
  }
  const NgramTable fresh(table.config(), {}, {table.keys().begin(), table.keys().end()});
  for (const auto& text : texts) EXPECT_EQ(encoded(table, text), encoded(fresh, text));
}

TEST(NgramTableTest, ThreadsShareATable) {
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) texts.push_back("word" + std::to_string(i % 40) + " of text");
  const auto table = table_of(texts, {.words = 2, .characters = 4});
  std::vector<std::vector<std::int32_t>> expected;
  for (const auto& text : texts) expected.push_back(encoded(table, text));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < texts.size(); ++i) {
        if (encoded(table, texts[i]) != expected[i]) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(NgramTableTest, NoTextMakesAnEmptyTable) {
  const auto table = table_of({}, {.words = 2, .characters = 5});
  EXPECT_EQ(table.size(), 0);
  std::vector<std::int32_t> columns;
  table.encode("anything", columns);
  EXPECT_TRUE(columns.empty());
}

}  // namespace
}  // namespace fastformer::linear
