#include "fastformer/metrics/rouge/extractive.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "fastformer/metrics/rouge/rouge.h"
#include "fastformer/metrics/rouge/rouge_report.h"
#include "fastformer/text/sentences.h"

namespace fastformer::metrics {
namespace {

using Sentences = std::vector<std::string_view>;
using Places = std::vector<std::size_t>;

TEST(SplitSentences, FollowsUnicodeLinesAndLoneDots) {
  EXPECT_EQ(text::split_sentences("Mr. Smith left at 3.5 p.m. sharp. He was tired!  Was he? Yes"),
            (Sentences{"Mr. Smith left at 3.5 p.m. sharp.", "He was tired!", "Was he?", "Yes"}));
  EXPECT_EQ(text::split_sentences("First line\nsecond line\r\n\n  Third.  "),
            (Sentences{"First line", "second line", "Third."}));
  EXPECT_EQ(
      text::split_sentences("it rained in washington , d.c. today . nobody minded . \" so ? \" ."),
      (Sentences{"it rained in washington , d.c. today .", "nobody minded .", "\" so ?", "\" ."}));
  EXPECT_EQ(text::split_sentences("Il a dit «Oui.» Été à Paris. Ça va."),
            (Sentences{"Il a dit «Oui.»", "Été à Paris.", "Ça va."}));
  EXPECT_EQ(text::split_sentences("一つ目。二つ目。"), (Sentences{"一つ目。", "二つ目。"}));
}

TEST(SplitSentences, TakesAnyBytes) {
  EXPECT_TRUE(text::split_sentences("").empty());
  EXPECT_TRUE(text::split_sentences(" \n\t\r\n ").empty());
  EXPECT_EQ(text::split_sentences(" . "), (Sentences{"."}));
  EXPECT_EQ(text::split_sentences("\xFF\xC3. Next"), (Sentences{"\xFF\xC3.", "Next"}));
  EXPECT_EQ(text::split_sentences(std::string(100'000, 'x')).size(), 1u);
}

TEST(Extractive, LeadAndRandomSentences) {
  EXPECT_EQ(lead_sentences(5, 3), (Places{0, 1, 2}));
  EXPECT_EQ(lead_sentences(2, 3), (Places{0, 1}));
  EXPECT_TRUE(lead_sentences(0, 3).empty());
  EXPECT_EQ(random_sentences(2, 3, 1), (Places{0, 1}));
  EXPECT_EQ(random_sentences(30, 4, 7), random_sentences(30, 4, 7));
  std::vector<int> counts(6);
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const auto chosen = random_sentences(6, 2, seed);
    ASSERT_EQ(chosen.size(), 2u);
    ASSERT_LT(chosen[0], chosen[1]);
    for (const auto place : chosen) ++counts[place];
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 130);  // five standard deviations
  const Sentences sentences = {"a", "b", "c"};
  EXPECT_EQ(join_sentences(sentences, Places{0, 2}), "a\nc");
  EXPECT_EQ(join_sentences(sentences, {}), "");
}

TEST(ExtractiveOracle, TakesWhatTheReferenceSays) {
  const Sentences sentences = {"the weather was fine", "the mayor resigned on monday",
                               "people danced", "a new mayor will be elected in may"};
  ExtractiveOracle oracle;
  EXPECT_EQ(oracle.choose(sentences, "mayor will be elected in may. mayor resigned on monday", 0),
            (Places{1, 3}));
  EXPECT_EQ(oracle.choose(sentences, "mayor will be elected in may. mayor resigned on monday", 1),
            (Places{3}));
  EXPECT_TRUE(oracle.choose(sentences, "", 3).empty());
  EXPECT_TRUE(oracle.choose(sentences, "nothing shared", 3).empty());
  EXPECT_TRUE(oracle.choose({}, "the mayor", 3).empty());
}

// The same choice by whole texts and the public scorer.
TEST(ExtractiveOracle, IsGreedyByTheScoreOfWholeSummaries) {
  std::mt19937 random(3);
  const auto text = [&](std::size_t words) {
    std::string made;
    for (std::size_t i = 0; i < words; ++i) made += std::string(1, "abcdefgh"[random() % 8]) + " ";
    return made;
  };
  for (int round = 0; round < 30; ++round) {
    std::vector<std::string> owned(8);
    for (auto& sentence : owned) sentence = text(1 + random() % 7);
    const Sentences sentences(owned.begin(), owned.end());
    const std::string reference = text(12);
    RougeScorer scorer;
    Places chosen;
    double best = 0;
    for (bool better = true; better && chosen.size() < 3;) {
      better = false;
      const Places before = chosen;
      for (std::size_t s = 0; s < sentences.size(); ++s) {
        if (std::count(before.begin(), before.end(), s) > 0) continue;
        Places tried = before;
        tried.push_back(s);
        std::sort(tried.begin(), tried.end());
        const auto scores = scorer.score(join_sentences(sentences, tried), reference);
        if (scores.rouge1.f + scores.rouge2.f <= best) continue;
        best = scores.rouge1.f + scores.rouge2.f;
        chosen = tried;
        better = true;
      }
    }
    EXPECT_EQ(ExtractiveOracle().choose(sentences, reference, 3), chosen);
  }
}

TEST(SummaryMeter, CountsNewAndRepeatedNgrams) {
  SummaryMeter meter;
  const auto s = meter.measure("The cat sat on the mat.", "the cat, the cat on a mat");
  EXPECT_EQ(s.document_words, 6u);
  EXPECT_EQ(s.summary_words, 7u);
  EXPECT_DOUBLE_EQ(s.ngrams[0].novel, 1.0 / 5);     // a
  EXPECT_DOUBLE_EQ(s.ngrams[0].repeated, 2.0 / 7);  // the cat
  EXPECT_DOUBLE_EQ(s.ngrams[1].novel, 4.0 / 5);     // all but "the cat"
  EXPECT_DOUBLE_EQ(s.ngrams[1].repeated, 1.0 / 6);  // "the cat"
  EXPECT_DOUBLE_EQ(s.ngrams[3].novel, 1);
  EXPECT_EQ(s.ngrams[3].total, 4u);
  const auto same = meter.measure("a b c d e", "b c d e");
  for (const auto& shares : same.ngrams) EXPECT_EQ(shares.novel + shares.repeated, 0);
  const auto empty = meter.measure("", "");
  EXPECT_EQ(empty.summary_words + empty.ngrams[0].total, 0u);
  EXPECT_EQ(meter.measure("", "x y").ngrams[1].novel, 1);
}

}  // namespace
}  // namespace fastformer::metrics
