#include "fastformer/tasks/score_ensemble.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/temporary_folder.h"

namespace fastformer::tasks {
namespace {

RecommenderConfig small(const std::string& model) {
  base::ConfigTree tree;
  for (const auto& assignment :
       {"model.model=" + model, std::string("model.width=8"), std::string("model.heads=2"),
        std::string("model.user_heads=2"), std::string("model.query_width=4")}) {
    tree.set(assignment);
  }
  return read_recommender_config(tree);
}

data::TitleTokens titles() {
  data::TitleTokens result;
  for (std::int32_t n = 0; n < 8; ++n) {
    for (std::int32_t i = 0; n > 0 && i < 1 + n % 3; ++i) result.ids.push_back((n + 2 * i) % 8);
    result.offsets.push_back(static_cast<std::int64_t>(result.ids.size()));
  }
  return result;
}

data::ImpressionLog log_of(const std::vector<std::vector<data::Candidate>>& shown) {
  data::ImpressionLog log;
  const auto history = log.add_history(std::vector<std::int32_t>{1, 5, 2});
  for (const auto& candidates : shown) {
    log.add({.id = "1", .history = {}, .candidates = candidates}, history);
  }
  return log;
}

using Lists = std::vector<std::vector<double>>;

ScoreUse into(Lists& lists) {
  return [&lists](const data::Impression&, std::span<const double> scores) {
    lists.emplace_back(scores.begin(), scores.end());
  };
}

std::vector<double> standardized(const std::vector<double>& scores) {
  double sum = 0, squares = 0;
  for (const auto score : scores) sum += score;
  const auto count = static_cast<double>(scores.size()), mean = sum / count;
  for (const auto score : scores) squares += (score - mean) * (score - mean);
  std::vector<double> result;
  for (const auto score : scores) result.push_back((score - mean) / std::sqrt(squares / count));
  return result;
}

TEST(ScoreEnsemble, IsTheMeanOfStandardizedScores) {
  const auto tokens = titles();
  const auto log = log_of({{{3, true}, {4, false}, {7, false}}, {{6, true}, {1, false}}});
  const Recommender first(small("nrms"), 8, 1), second(small("fastformer"), 8, 2);
  Lists of_first, of_second, together;
  score_impressions(first, tokens, log, into(of_first));
  score_impressions(second, tokens, log, into(of_second));
  ScoreEnsemble ensemble;
  ensemble.add(first, tokens, log);
  ensemble.add(second, tokens, log);
  ensemble.visit(log, into(together));
  ASSERT_EQ(together.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto a = standardized(of_first[i]), b = standardized(of_second[i]);
    ASSERT_EQ(together[i].size(), a.size());
    for (std::size_t c = 0; c < a.size(); ++c) {
      EXPECT_NEAR(together[i][c], (a[c] + b[c]) / 2, 1e-5);
    }
  }
}

TEST(ScoreEnsemble, EqualScoresAddNothing) {
  const auto tokens = titles();
  const auto log = log_of({{{0, true}, {0, false}}, {{3, true}}});
  ScoreEnsemble ensemble;
  ensemble.add(Recommender(small("nrms"), 8, 1), tokens, log);
  Lists scores;
  ensemble.visit(log, into(scores));
  EXPECT_EQ(scores, (Lists{{0, 0}, {0}}));
}

TEST(ScoreEnsemble, RefusesAnotherLog) {
  const auto tokens = titles();
  const auto log = log_of({{{3, true}, {4, false}}}),
             longer = log_of({{{3, true}}, {{4, false}, {5, true}}});
  const Recommender model(small("nrms"), 8, 1);
  ScoreEnsemble ensemble;
  ensemble.add(model, tokens, log);
  EXPECT_MENTIONS(testing::error_of([&] { ensemble.add(model, tokens, longer); }), "2 shown news",
                  "shows 3");
  EXPECT_MENTIONS(testing::error_of([&] { ensemble.visit(longer, [](const auto&, auto) {}); }),
                  "the same impressions");
}

}  // namespace
}  // namespace fastformer::tasks
