#include "fastformer/linear/ngrams.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace fastformer::linear {
namespace {

std::vector<std::string> spellings(const NgramConfig& config, const std::string& text) {
  std::vector<std::string> result;
  NgramReader(config, {}).visit(text, [&](const Ngram& n) { result.push_back(n.spelling()); });
  std::sort(result.begin(), result.end());
  return result;
}

TEST(NgramsTest, WordsAreSequencesWithPunctuation) {
  EXPECT_EQ(spellings({.words = 2, .characters = 0}, "Oil prices fall."),
            (std::vector<std::string>{".", "fall", "fall.", "oil", "oil prices", "prices",
                                      "prices fall"}));
  EXPECT_EQ(spellings({.words = 3, .characters = 0}, "a b c"),
            (std::vector<std::string>{"a", "a b", "a b c", "b", "b c", "c"}));
  EXPECT_TRUE(spellings({.words = 3, .characters = 5}, " \t\n").empty());
}

TEST(NgramsTest, CharactersCrossNoBorderOfAWord) {
  EXPECT_EQ(spellings({.words = 0, .characters = 3}, "ab ü"),
            (std::vector<std::string>{"^a", "^ab", "^ü", "^ü$", "ab", "ab$", "b$", "ü$"}));
}

TEST(NgramsTest, EqualKeysMeanEqualNgrams) {
  std::map<std::uint64_t, std::string> texts;
  std::set<std::string> seen;
  std::string text;
  for (int i = 0; i < 4000; ++i) text += "w" + std::to_string(i * 7919 % 1000) + " ";
  NgramReader({.words = 3, .characters = 5}, {}).visit(text, [&](const Ngram& n) {
    const auto name = (n.key.kind() == NgramKind::kWords ? "words " : "chars ") + n.spelling();
    EXPECT_EQ(texts.emplace(n.key.value(), name).first->second, name);
    seen.insert(name);
  });
  EXPECT_EQ(texts.size(), seen.size());
  EXPECT_GT(seen.size(), 3000u);
}

TEST(NgramsTest, TheOrderOfWordsMatters) {
  std::set<std::uint64_t> keys;
  for (const auto* text : {"a b", "b a"}) {
    NgramReader({.words = 2, .characters = 0}, {}).visit(text, [&](const Ngram& n) {
      if (n.key.words() == 2) keys.insert(n.key.value());
    });
  }
  EXPECT_EQ(keys.size(), 2u);
}

TEST(NgramsTest, LongerSequencesThanTheMaximumAreRefused) {
  for (const auto& config : {NgramConfig{.words = 5}, NgramConfig{.words = -1},
                             NgramConfig{.words = 1, .characters = 9}}) {
    EXPECT_THROW(NgramReader(config, {}), std::invalid_argument);
  }
}

TEST(NgramsTest, OnlyTheHeadOfAnEndlessTextCounts) {
  std::string text;
  for (int i = 0; i < 70000; ++i) text += "a ";
  EXPECT_EQ(spellings({.words = 1, .characters = 0}, text).size(), 65536u);
}

}  // namespace
}  // namespace fastformer::linear
