#include "fastformer/summarization/extractive/selection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

namespace fastformer::summarization {
namespace {

using text::Sentence;
using text::SentenceKind;
using Chosen = std::vector<std::size_t>;

std::vector<Sentence> sentences(const std::vector<std::string_view>& texts) {
  std::vector<Sentence> result;
  for (const auto text : texts) result.push_back({text, SentenceKind::kSentence});
  return result;
}

const auto kFour = sentences({"One two three.", "Four five.", "Six seven eight nine.", "Ten."});
const std::vector<double> kScores = {0.2, 0.9, 0.5, 0.7};

Chosen chosen(const SelectionConfig& config) { return select_sentences(kFour, kScores, config); }

TEST(Selection, TakesTheHighestScoresInTheOrderOfTheDocument) {
  EXPECT_EQ(chosen({.sentences = 1}), (Chosen{1}));
  EXPECT_EQ(chosen({.sentences = 2}), (Chosen{1, 3}));
  EXPECT_EQ(chosen({.sentences = 3}), (Chosen{1, 2, 3}));
  EXPECT_EQ(chosen({.sentences = 9}), (Chosen{0, 1, 2, 3}));
  const std::vector<double> equal(4, 0.5);
  EXPECT_EQ(select_sentences(kFour, equal, {.sentences = 2}), (Chosen{0, 1}));
}

TEST(Selection, KeepsTheLimitOfWords) {
  EXPECT_EQ(chosen({.sentences = 0, .words = 3}), (Chosen{1, 3}));
  EXPECT_EQ(chosen({.sentences = 0, .words = 6}), (Chosen{0, 1, 3}));  // the third does not fit
  EXPECT_EQ(chosen({.sentences = 1, .words = 6}), (Chosen{1}));
  EXPECT_EQ(chosen({.sentences = 0, .words = 10}), (Chosen{0, 1, 2, 3}));
  // Ten words in all.
  EXPECT_EQ(chosen({.sentences = 0, .ratio = 0.3}), (Chosen{1, 3}));
  EXPECT_EQ(chosen({.sentences = 0, .words = 9, .ratio = 0.2}), (Chosen{1}));
  // Nothing fits, so the best one is taken alone.
  EXPECT_EQ(select_sentences(sentences({"a b c", "d e"}), std::vector{0.9, 0.1},
                             {.sentences = 0, .words = 1}),
            (Chosen{0}));
}

TEST(Selection, LeavesOutHeadingsAndCaptionsUnlessThereIsNothingElse) {
  auto some = kFour;
  some[1].kind = SentenceKind::kHeading;
  some[3].kind = SentenceKind::kCaption;
  EXPECT_EQ(select_sentences(some, kScores, {.sentences = 3}), (Chosen{0, 2}));
  for (auto& sentence : some) sentence.kind = SentenceKind::kHeading;
  EXPECT_EQ(select_sentences(some, kScores, {.sentences = 2}), (Chosen{1, 3}));
}

TEST(Selection, BlocksTrigrams) {
  const auto some = sentences(
      {"the cat sat on a mat", "a dog barked", "then THE CAT SAT, down", "the cat barked"});
  const std::vector<double> scores = {0.9, 0.1, 0.8, 0.7};
  const SelectionConfig config{.sentences = 2, .redundancy = Redundancy::kTrigram};
  EXPECT_EQ(select_sentences(some, scores, config), (Chosen{0, 3}));
  EXPECT_EQ(select_sentences(some, scores, {.sentences = 2}), (Chosen{0, 2}));
}

TEST(Selection, WeighsRelevanceAgainstOverlap) {
  const auto some =
      sentences({"red green blue", "red green blue gray", "white black", "red white"});
  const std::vector<double> scores = {0.9, 0.8, 0.3, 0.7};
  const auto mmr = [&](double weight, std::int64_t count) {
    return select_sentences(
        some, scores, {.sentences = count, .redundancy = Redundancy::kMmr, .mmr_weight = weight});
  };
  EXPECT_EQ(mmr(0, 2), (Chosen{0, 1}));
  // With weight 0.4: 0.6 * 0.8 - 0.4 * 3/4 = 0.18, 0.6 * 0.3 = 0.18, 0.6 * 0.7 - 0.4 / 2 = 0.22.
  EXPECT_EQ(mmr(0.4, 2), (Chosen{0, 3}));
  // With weight 0.8 only sentences without overlap remain attractive.
  EXPECT_EQ(mmr(0.8, 2), (Chosen{0, 2}));
}

TEST(Selection, RefusesWhatItCannotUse) {
  EXPECT_THROW(chosen({.sentences = 0}), std::invalid_argument);
  EXPECT_THROW(chosen({.sentences = -1}), std::invalid_argument);
  EXPECT_THROW(chosen({.words = -1}), std::invalid_argument);
  EXPECT_THROW(chosen({.ratio = NAN}), std::invalid_argument);
  EXPECT_THROW(chosen({.mmr_weight = 5}), std::invalid_argument);
  EXPECT_THROW(select_sentences(kFour, std::vector{0.5}, {}), std::invalid_argument);
  EXPECT_TRUE(select_sentences({}, {}, {}).empty());
}

// 200,000 sentences that all repeat others: time must not grow with the square of their number.
TEST(Selection, TakesManySentences) {
  const std::string text = "the same three words again.";
  const std::vector<Sentence> many(200'000, {text, SentenceKind::kSentence});
  const std::vector<double> scores(many.size(), 0.5);
  const auto count = [&](Redundancy redundancy) {
    return select_sentences(many, scores, {.sentences = 0, .ratio = 1, .redundancy = redundancy})
        .size();
  };
  EXPECT_EQ(count(Redundancy::kNone), many.size());
  EXPECT_EQ(count(Redundancy::kTrigram), 1u);
  EXPECT_EQ(count(Redundancy::kMmr), many.size());
}

TEST(Selection, JoinsSentencesInOneLine) {
  EXPECT_EQ(joined(sentences({"One\ntwo.", "Three.", "Four."}), Chosen{0, 2}), "One two. Four.");
}

}  // namespace
}  // namespace fastformer::summarization
