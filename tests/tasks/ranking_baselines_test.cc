#include "fastformer/tasks/ranking_baselines.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/temporary_folder.h"

namespace fastformer::tasks {
namespace {

using data::Candidate;

class RankingBaselinesTest : public ::testing::Test {
 protected:
  RankingBaselinesTest() {
    news_.add({.id = "a", .title = "A", .category = "x"});
    news_.add({.id = "b", .title = "B", .category = "y"});
    news_.add({.id = "c", .title = "C", .category = ""});
    news_.add({.id = "d", .title = "D", .category = ""});
  }
  static void add(data::ImpressionLog& log, const std::vector<std::int32_t>& history,
                  const std::vector<Candidate>& candidates) {
    const auto range = log.add_history(history);
    log.add({.id = "1", .history = {}, .candidates = candidates}, range);
  }
  std::vector<double> scores(const ImpressionScorer& scorer) const {
    std::vector<double> result(log_[0].candidates.size());
    scorer(0, log_[0], result);
    return result;
  }
  data::NewsTable news_;
  data::ImpressionLog log_;
};

TEST_F(RankingBaselinesTest, PopularityCountsTheClicksOfTraining) {
  data::ImpressionLog train;
  add(train, {}, {{1, true}, {2, false}, {0, true}});
  add(train, {3}, {{1, true}, {2, true}});
  add(log_, {}, {{1, false}, {2, true}, {3, false}, {0, false}});
  EXPECT_EQ(scores(popularity_baseline(train, news_)), (std::vector<double>{2, 1, 0, 0}));
}

TEST_F(RankingBaselinesTest, CategoryIsTheShareOfTheHistory) {
  add(log_, {1, 1, 2, 3}, {{1, false}, {2, true}, {4, false}, {0, false}});
  EXPECT_EQ(scores(category_baseline(news_)), (std::vector<double>{0.5, 0.25, 0, 0}));
}

TEST_F(RankingBaselinesTest, RandomIsHalfRight) {
  for (int i = 0; i < 4000; ++i) add(log_, {}, {{1, false}, {2, true}, {3, false}});
  const auto mean = rank_with(random_baseline(1), log_);
  EXPECT_NEAR(mean.mean().auc, 0.5, 0.02);
  EXPECT_NEAR(mean.mean().mrr, (1 + 1.0 / 2 + 1.0 / 3) / 3, 0.02);
  EXPECT_EQ(rank_with(random_baseline(1), log_).mean().auc, mean.mean().auc);
  EXPECT_NE(rank_with(random_baseline(2), log_).mean().auc, mean.mean().auc);
}

TEST_F(RankingBaselinesTest, ABlindLogIsRefused) {
  log_.set_labelled(false);
  EXPECT_MENTIONS(testing::error_of([&] { rank_with(random_baseline(1), log_); }), "clicked");
}

}  // namespace
}  // namespace fastformer::tasks
