#include "fastformer/metrics/rouge/rouge.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "fastformer/metrics/rouge/porter_stemmer.h"
#include "fastformer/metrics/rouge/rouge_words.h"
#include "support/temporary_folder.h"

namespace fastformer::metrics {
namespace {

nlohmann::json goldens() {
  std::ifstream file(FASTFORMER_SOURCE_DIR "/tests/text/goldens/rouge.json");
  return nlohmann::json::parse(file);
}

std::vector<double> numbers(const RougeScores& scores) {
  std::vector<double> all;
  for (const auto* s : {&scores.rouge1, &scores.rouge2, &scores.rouge_l, &scores.rouge_lsum}) {
    all.insert(all.end(), {s->precision, s->recall, s->f});
  }
  return all;
}

TEST(PorterStemmer, GivesTheStemsOfNltk) {
  std::istringstream stems(goldens().at("stems").get<std::string>());
  int count = 0;
  for (std::string word, stem; stems >> word >> stem; ++count) {
    EXPECT_EQ(porter_stem(word), stem) << word;
  }
  EXPECT_GT(count, 1000);
  EXPECT_EQ(porter_stem(""), "");
}

TEST(PorterStemmer, TakesTimeLinearInTheWord) {
  // A y counts by what is before it: a step back for each would take hours here.
  const std::string word(2'000'000, 'y');
  EXPECT_EQ(porter_stem(word).size(), word.size());
}

TEST(Rouge, RefusesTextsWhoseProductWouldTakeHours) {
  std::string words, lines;
  for (int i = 0; i < 65'537; ++i) words += "a ";
  for (int i = 0; i < 4'097; ++i) lines += "a\n";
  for (const auto& text : {words, lines}) {
    EXPECT_MENTIONS(testing::error_of([&] { RougeScorer().score(text, "a"); }), "too long");
    EXPECT_MENTIONS(testing::error_of([&] { RougeScorer().score("a", text); }), "65,536 words");
  }
  EXPECT_GT(RougeScorer().score(words.substr(2), "a").rouge1.recall, 0.99);
}

// One scorer for all pairs, so that what a pair leaves behind would show in the next.
TEST(Rouge, EqualsRougeScore) {
  const auto all = goldens();
  for (const bool stem : {false, true}) {
    RougeScorer scorer(stem);
    for (const auto& pair : all.at("pairs")) {
      const auto candidate = pair.at("candidate").get<std::string>();
      const auto reference = pair.at("reference").get<std::string>();
      const auto expected = pair.at(stem ? "stemmed" : "plain").get<std::vector<double>>();
      const auto got = numbers(scorer.score(candidate, reference));
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(got[i], expected[i], 1e-12) << i << ": " << candidate << " | " << reference;
      }
    }
  }
}

TEST(Rouge, TakesBytesThatAreNoText) {
  const std::string bytes("\xC4 cat \xFF\xE2\x84 dog \0 x \xC4", 19);
  RougeScorer scorer;
  EXPECT_DOUBLE_EQ(scorer.score(bytes, "cat dog x").rouge_l.f, 1);
}

TEST(CommonSubsequence, HasTheLengthOfTheTable) {
  std::mt19937 random(5);
  CommonSubsequence matcher;
  for (int round = 0; round < 300; ++round) {
    const auto draw = [&](int words) {
      std::vector<std::int32_t> text(random() % 200);
      for (auto& word : text) word = static_cast<std::int32_t>(random() % words);
      return text;
    };
    const int words = 1 + static_cast<int>(random() % 30);
    const auto a = draw(words), b = draw(words);
    std::vector<std::vector<std::size_t>> table(a.size() + 1,
                                                std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 1; i <= a.size(); ++i) {
      for (std::size_t j = 1; j <= b.size(); ++j) {
        table[i][j] = a[i - 1] == b[j - 1] ? table[i - 1][j - 1] + 1
                                           : std::max(table[i - 1][j], table[i][j - 1]);
      }
    }
    matcher.set_reference(a);
    EXPECT_EQ(matcher.length(b), table[a.size()][b.size()]);
    std::vector<char> marked(a.size());
    matcher.mark(b, marked);
    EXPECT_EQ(static_cast<std::size_t>(std::count(marked.begin(), marked.end(), 1)),
              table[a.size()][b.size()]);
  }
}

TEST(Ngrams, ShareWhatBothHave) {
  const std::vector<std::int32_t> a = {1, 2, 1, 2, 1}, b = {2, 1, 2, 7};
  const auto shared = [&](std::size_t n) {
    return shared_ngrams(sorted_ngrams(a, n), sorted_ngrams(b, n));
  };
  EXPECT_EQ(shared(1), 3u);
  EXPECT_EQ(shared(2), 2u);
  EXPECT_EQ(shared(3), 1u);
  EXPECT_EQ(shared(4), 0u);
  EXPECT_TRUE(sorted_ngrams(b, 4).size() == 1 && sorted_ngrams({}, 1).empty());
  for (const std::size_t n : {0, 5}) {
    EXPECT_MENTIONS(testing::error_of([&] { sorted_ngrams(a, n); }), "from 1 to 4");
  }
}

TEST(RougeTokens, ReadOtherScripts) {
  const auto f = [](RougeTokens tokens, const char* candidate, const char* reference) {
    return RougeScorer(false, tokens).score(candidate, reference).rouge1.f;
  };
  EXPECT_EQ(f(RougeTokens::kRouge, "天气很好", "天气很好"), 0);
  EXPECT_EQ(f(RougeTokens::kUnicode, "天气很好。", "天气很好！"), 1);
  EXPECT_EQ(f(RougeTokens::kUnicode, "मौसम अच्छा है।", "मौसम अच्छा है"), 1);
  EXPECT_EQ(f(RougeTokens::kUnicode, "Cristóbal ESTÁ", "cristóbal está"), 1);
  EXPECT_LT(f(RougeTokens::kUnicode, "Cristobal esta", "Cristóbal está"), 0.01);
  EXPECT_DOUBLE_EQ(f(RougeTokens::kCharacter, "天气很坏", "天气很好"), 0.75);
  EXPECT_DOUBLE_EQ(f(RougeTokens::kCharacter, "की", "का"),
                   0);  // a vowel sign belongs to its letter
  EXPECT_EQ(RougeScorer().score("a", "天气").reference_words, 0U);
  RougeWords lines(false, RougeTokens::kCharacter);
  EXPECT_EQ(lines.number("天\n…\n气 很").sentence_ends, (std::vector<std::size_t>{1, 3}));
}

TEST(RougeTokens, AreThoseOfTheScriptOfTheReference) {
  EXPECT_EQ(rouge_tokens_of("天气很好。"), RougeTokens::kCharacter);
  EXPECT_EQ(rouge_tokens_of("苹果公司发布新手机 iPhone"), RougeTokens::kCharacter);
  EXPECT_EQ(rouge_tokens_of("मौसम अच्छा है।"), RougeTokens::kUnicode);
  EXPECT_EQ(rouge_tokens_of("Cristóbal está aquí"), RougeTokens::kUnicode);
  EXPECT_EQ(rouge_tokens_of("The new iPhone 手机 is here"), RougeTokens::kUnicode);
  EXPECT_EQ(rouge_tokens_of("The cat sat on the mat."), RougeTokens::kRouge);
  EXPECT_EQ(rouge_tokens_of("“Quotes” – and dashes"), RougeTokens::kRouge);
  EXPECT_EQ(rouge_tokens_of(std::string(200, 'a') + " café"), RougeTokens::kRouge);
  EXPECT_EQ(rouge_tokens_of(""), RougeTokens::kRouge);
}

TEST(RougeScores, OfSeveralReferencesTheBetterCountsForEachKind) {
  RougeScorer scorer;
  auto best = scorer.score("the cat sat", "the dog sat");
  best.take_better(scorer.score("the cat sat", "the cat"));
  EXPECT_DOUBLE_EQ(best.rouge1.f, 0.8);
  EXPECT_DOUBLE_EQ(best.rouge2.f, 2.0 / 3);
  best.take_better(scorer.score("the cat sat", "nothing"));
  EXPECT_DOUBLE_EQ(best.rouge1.f, 0.8);
}

}  // namespace
}  // namespace fastformer::metrics
