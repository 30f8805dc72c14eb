#include "fastformer/recommendation/baselines.h"

#include <gtest/gtest.h>

#include <vector>

#include "fastformer/recommendation/evaluation.h"
#include "support/temporary_folder.h"

namespace fastformer::recommendation {
namespace {

class RankingBaselinesTest : public ::testing::Test {
 protected:
  RankingBaselinesTest() {
    items_.add({.id = "a", .title = "A", .category = "x"});
    items_.add({.id = "b", .title = "B", .category = "y"});
    items_.add({.id = "c", .title = "C", .category = ""});
    items_.add({.id = "d", .title = "D", .category = ""});
  }
  static void add(ImpressionLog& log, const std::vector<std::int32_t>& history,
                  const std::vector<Candidate>& candidates) {
    const auto range = log.add_history(history);
    log.add({.id = "1", .history = {}, .candidates = candidates}, range);
  }
  std::vector<double> scores(const ImpressionScorer& scorer) const {
    std::vector<double> result(log_[0].candidates.size());
    scorer(0, log_[0], result);
    return result;
  }
  ItemTable items_;
  ImpressionLog log_;
};

TEST_F(RankingBaselinesTest, PopularityCountsTheClicksOfTraining) {
  ImpressionLog train;
  add(train, {}, {{1, true}, {2, false}, {0, true}});
  add(train, {3}, {{1, true}, {2, true}});
  add(log_, {}, {{1, false}, {2, true}, {3, false}, {0, false}});
  EXPECT_EQ(scores(popularity_baseline(train, items_)), (std::vector<double>{2, 1, 0, 0}));
}

TEST_F(RankingBaselinesTest, CategoryIsTheShareOfTheHistory) {
  add(log_, {1, 1, 2, 3}, {{1, false}, {2, true}, {4, false}, {0, false}});
  EXPECT_EQ(scores(category_baseline(items_)), (std::vector<double>{0.5, 0.25, 0, 0}));
}

TEST_F(RankingBaselinesTest, RandomIsHalfRight) {
  for (int i = 0; i < 4000; ++i) add(log_, {}, {{1, false}, {2, true}, {3, false}});
  const auto score = [&](std::uint64_t seed, const char* metric) {
    return metrics::score_of(rank_with(random_baseline(seed), log_).mean(), metric);
  };
  EXPECT_NEAR(score(1, "auc"), 0.5, 0.02);
  EXPECT_NEAR(score(1, "mrr"), (1 + 1.0 / 2 + 1.0 / 3) / 3, 0.02);
  EXPECT_EQ(score(1, "auc"), score(1, "auc"));
  EXPECT_NE(score(2, "auc"), score(1, "auc"));
}

TEST_F(RankingBaselinesTest, ABlindLogIsRefused) {
  log_.set_labelled(false);
  EXPECT_MENTIONS(testing::error_of([&] { rank_with(random_baseline(1), log_); }), "no labels");
}

TEST(Baselines, TellHowMuchHigherAnotherMrrIs) {
  metrics::RankingMean first, second;
  for (int i = 0; i < 40; ++i) {
    const std::vector<std::uint8_t> clicked = {1, 0};
    first.add(clicked, std::vector<double>{1, 0});                          // MRR 1
    second.add(clicked, std::vector<double>{i % 2 == 0 ? 1.0 : 0.0, 0.5});  // 1 and 1 / 2 in turns
  }
  const auto text = mrr_gain_text(first, second);
  EXPECT_EQ(text.substr(0, 16), "MRR +0.2500 (+0.") << text;
  EXPECT_EQ(mrr_gain_text(second, first).substr(0, 16), "MRR -0.2500 (-0.");
  EXPECT_EQ(mrr_gain_text(first, first), "MRR +0.0000 (+0.0000 to +0.0000)");
}

}  // namespace
}  // namespace fastformer::recommendation
