#include "fastformer/text/token_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace fastformer::text {
namespace {

TEST(TokenTable, AgreesWithAMapOnRandomTexts) {
  std::mt19937 generator(1);
  std::map<std::string, std::int32_t> expected;
  TokenTable table;
  EXPECT_EQ(table.find("a"), -1);
  const auto random_text = [&] {
    // Few characters, so that many texts are equal, begin alike or differ in their lengths only.
    std::string text(generator() % 20, 'a');
    for (auto& c : text) c = "ab\0\xFF"[generator() % 4];
    return text;
  };
  for (int i = 0; i < 20'000; ++i) {
    const auto text = random_text();
    expected[text] = i;
    table.add(text, i);
  }
  for (const auto& [text, number] : expected) ASSERT_EQ(table.find(text), number);
  for (int i = 0; i < 20'000; ++i) {
    const auto text = random_text();
    const auto found = expected.find(text);
    ASSERT_EQ(table.find(text), found == expected.end() ? -1 : found->second);
  }
}

}  // namespace
}  // namespace fastformer::text
