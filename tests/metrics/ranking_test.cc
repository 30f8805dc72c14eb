#include "fastformer/metrics/ranking.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "fastformer/base/atomic_file.h"
#include "support/parity_script.h"
#include "support/temporary_folder.h"

namespace fastformer::metrics {
namespace {

namespace fs = std::filesystem;

using Labels = std::vector<std::uint8_t>;

// By name.
std::map<std::string, double> score(const Labels& labels, const std::vector<double>& scores) {
  const auto values = score_ranking(labels, scores);
  std::map<std::string, double> named;
  for (std::size_t m = 0; m < values.size(); ++m) named[ranking_metrics()[m].name] = values[m];
  return named;
}

TEST(RankingMetrics, CountAllClicks) {
  // Ranks 2 and 4 of five.
  const auto result = score({0, 1, 0, 1, 0}, {5, 4, 3, 2, 1});
  EXPECT_NEAR(result.at("mrr"), (1.0 / 2 + 1.0 / 4) / 2,
              1e-15);  // the first hit alone would be 1 / 2
  EXPECT_NEAR(result.at("auc"), 3.0 / 6, 1e-15);
  const double best = 1 + 1 / std::log2(3.0);
  EXPECT_NEAR(result.at("ndcg_5"), (1 / std::log2(3.0) + 1 / std::log2(5.0)) / best, 1e-15);
}

TEST(RankingMetrics, StopAtTheirDepth) {
  const auto result =
      score({1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {0, 1, 2, 3, 4, 5, -1, -2, -3, -4, -5});
  EXPECT_EQ(result.at("ndcg_5"), 0);  // rank 6
  EXPECT_NEAR(result.at("ndcg_10"), 1 / std::log2(7.0), 1e-15);
  // More clicks than ranks: the best order fills all of them.
  EXPECT_NEAR(score({1, 1, 1, 1, 1, 1, 0}, {7, 6, 5, 4, 3, 2, 1}).at("ndcg_5"), 1, 1e-15);
}

TEST(RankingMetrics, OfEqualScoresTheLaterComesFirstAndAucCountsHalf) {
  EXPECT_EQ(ranks_of(std::vector<double>{1, 2, 1, 2}), (std::vector<std::int32_t>{4, 2, 3, 1}));
  EXPECT_EQ(score({1, 0}, {1, 1}).at("auc"), 0.5);
  EXPECT_EQ(score({1, 0}, {1, 1}).at("mrr"), 0.5);
  EXPECT_EQ(score({0, 1}, {1, 1}).at("mrr"), 1);
}

TEST(RankingMetrics, AreMeansOverImpressionsNotOverPairs) {
  // Each impression is in perfect order, but the scores of the second lie below the first's.
  RankingMean mean;
  mean.add(Labels{1, 0}, std::vector<double>{10, 9});
  mean.add(Labels{1, 0}, std::vector<double>{2, 1});
  mean.add(Labels{0, 0}, std::vector<double>{2, 1});
  mean.add(Labels{1, 1}, std::vector<double>{2, 1});
  EXPECT_EQ(score_of(mean.mean(), "auc"), 1);
  EXPECT_EQ(mean.impressions(), 2);
  EXPECT_EQ(mean.skipped(), 2);
  EXPECT_EQ(score_of(RankingMean().mean(), "auc"), 0);
  // An impression of many pairs weighs as much as one of few.
  RankingMean uneven;
  uneven.add(Labels{0, 1}, std::vector<double>{2, 1});
  uneven.add(Labels{1, 0, 0, 0}, std::vector<double>{4, 3, 2, 1});
  EXPECT_EQ(score_of(uneven.mean(), "auc"), 0.5);
}

TEST(RankingMetrics, RefuseWhatHasNoRanking) {
  EXPECT_MENTIONS(testing::error_of([] { score({1, 0}, {1}); }), "2 candidates", "1 scores");
  EXPECT_MENTIONS(testing::error_of([] { score({0, 0}, {1, 2}); }), "without clicks");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_MENTIONS(testing::error_of([&] { score({1, 0}, {1, nan}); }), "not a number");
}

TEST(RankingMetrics, PredictionsAreRanksInTheOrderOfTheCandidates) {
  std::ostringstream out;
  write_ranking(out, "12", std::vector<double>{0.1, 0.9, 0.5});
  EXPECT_EQ(out.str(), "12 [3,1,2]\n");
}

TEST(RankingMetricsSlow, AgreeWithTheOfficialEvaluation) {
  FASTFORMER_NEEDS_PARITY_SCRIPTS();
  const testing::TemporaryFolder folder;
  const auto file = folder / "cases.json";
  ASSERT_TRUE(testing::run_parity_script("ranking_cases.py", file.string()));
  const auto answer = nlohmann::json::parse(base::read_file(file));
  RankingMean mean;
  ASSERT_GT(answer["cases"].size(), 100u);
  for (const auto& c : answer["cases"]) {
    const auto labels = c["labels"].get<Labels>();
    const auto scores = c["scores"].get<std::vector<double>>();
    const auto result = score(labels, scores);
    EXPECT_NEAR(result.at("auc"), c["auc"].get<double>(), 1e-12) << c;
    EXPECT_NEAR(result.at("mrr"), c["mrr"].get<double>(), 1e-12) << c;
    EXPECT_NEAR(result.at("ndcg_5"), c["ndcg_5"].get<double>(), 1e-12) << c;
    EXPECT_NEAR(result.at("ndcg_10"), c["ndcg_10"].get<double>(), 1e-12) << c;
    mean.add(labels, scores);
  }
  EXPECT_NEAR(score_of(mean.mean(), "auc"), answer["mean"]["auc"].get<double>(), 1e-12);
  EXPECT_NEAR(score_of(mean.mean(), "mrr"), answer["mean"]["mrr"].get<double>(), 1e-12);
  EXPECT_NEAR(score_of(mean.mean(), "ndcg_5"), answer["mean"]["ndcg_5"].get<double>(), 1e-12);
  EXPECT_NEAR(score_of(mean.mean(), "ndcg_10"), answer["mean"]["ndcg_10"].get<double>(), 1e-12);
}

}  // namespace
}  // namespace fastformer::metrics
