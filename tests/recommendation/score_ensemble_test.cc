#include "fastformer/recommendation/score_ensemble.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastformer/base/format.h"
#include "support/temporary_folder.h"

namespace fastformer::recommendation {
namespace {

ModelConfig tiny(const std::string& model) {
  base::ConfigTree tree;
  for (const auto& assignment :
       {"model.model=" + model, std::string("model.width=8"), std::string("model.heads=2"),
        std::string("model.users.heads=2"), std::string("model.query_width=4")}) {
    tree.set(assignment);
  }
  return ModelConfig::read(tree);
}

using Shown = std::vector<std::vector<Candidate>>;

// Seven items; each impression follows the clicks 1, 5 and 2.
Dataset dataset_of(const Shown& shown) {
  Dataset dataset;
  for (std::int32_t n = 0; n < 8; ++n) {
    if (n > 0) dataset.items.add({.id = base::format("N%d", n), .title = {}, .category = {}});
    for (std::int32_t i = 0; n > 0 && i < 1 + n % 3; ++i) {
      dataset.titles.ids.push_back((n + 2 * i) % 8);
    }
    dataset.titles.offsets.push_back(std::ssize(dataset.titles.ids));
  }
  auto& log = dataset.parts.test;
  const auto history = log.add_history(std::vector<std::int32_t>{1, 5, 2});
  for (const auto& candidates : shown) {
    log.add({.id = "1", .history = {}, .candidates = candidates}, history);
  }
  return dataset;
}

using Lists = std::vector<std::vector<double>>;

ScoreUse into(Lists& lists) {
  return [&lists](const Impression&, std::span<const double> scores) {
    lists.emplace_back(scores.begin(), scores.end());
  };
}

// The scores minus the mean of their impression, in units of the deviation over all impressions.
Lists standardized(Lists lists) {
  double squares = 0, count = 0;
  for (auto& scores : lists) {
    double sum = 0;
    for (const auto score : scores) sum += score;
    for (auto& score : scores) score -= sum / static_cast<double>(scores.size());
    for (const auto score : scores) squares += score * score;
    count += static_cast<double>(scores.size());
  }
  for (auto& scores : lists) {
    for (auto& score : scores) score /= std::sqrt(squares / count);
  }
  return lists;
}

TEST(ScoreEnsemble, IsTheMeanOfStandardizedScores) {
  const auto data = dataset_of({{{3, true}, {4, false}, {7, false}}, {{6, true}, {1, false}}});
  const auto& log = data.parts.test;
  const RecommenderModel first(tiny("nrms"), 8, 1), second(tiny("fastformer"), 8, 2);
  Lists of_first, of_second, together;
  score_impressions(first, data.titles, log, into(of_first));
  score_impressions(second, data.titles, log, into(of_second));
  ScoreEnsemble ensemble;
  ensemble.add(first, data);
  ensemble.add(second, data);
  ensemble.visit(log, into(together));
  ASSERT_EQ(together.size(), 2u);
  const auto a = standardized(of_first), b = standardized(of_second);
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_EQ(together[i].size(), a[i].size());
    for (std::size_t c = 0; c < a[i].size(); ++c) {
      EXPECT_NEAR(together[i][c], (a[i][c] + b[i][c]) / 2, 1e-5);
    }
  }
}

// Otherwise each would have the difference 2, and the AUC would depend on how ties are counted.
TEST(ScoreEnsemble, OfTwoCandidatesTheClearPreferenceWins) {
  Shown shown;
  for (std::int32_t i = 1; i < 8; ++i) {
    for (std::int32_t j = i + 1; j < 8; ++j) shown.push_back({{i, true}, {j, false}});
  }
  const auto data = dataset_of(shown);
  const RecommenderModel first(tiny("nrms"), 8, 1), second(tiny("fastformer"), 8, 2);
  Lists of_first, of_second, scores;
  score_impressions(first, data.titles, data.parts.test, into(of_first));
  score_impressions(second, data.titles, data.parts.test, into(of_second));
  ScoreEnsemble ensemble;
  ensemble.add(first, data);
  ensemble.add(second, data);
  ensemble.visit(data.parts.test, into(scores));
  const auto a = standardized(of_first), b = standardized(of_second);
  int disagreements = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double first_prefers = a[i][0] - a[i][1], second_prefers = b[i][0] - b[i][1];
    disagreements += first_prefers * second_prefers < 0 ? 1 : 0;
    EXPECT_EQ(scores[i][0] > scores[i][1], first_prefers + second_prefers > 0) << i;
  }
  EXPECT_GT(disagreements, 0);
}

TEST(ScoreEnsemble, EqualScoresAddNothing) {
  const auto data = dataset_of({{{0, true}, {0, false}}, {{3, true}}});
  ScoreEnsemble ensemble;
  ensemble.add(RecommenderModel(tiny("nrms"), 8, 1), data);
  Lists scores;
  ensemble.visit(data.parts.test, into(scores));
  EXPECT_EQ(scores, (Lists{{0, 0}, {0}}));
}

TEST(ScoreEnsemble, RefusesOtherImpressionsAndNoMember) {
  const RecommenderModel model(tiny("nrms"), 8, 1);
  const auto data = dataset_of({{{3, true}, {4, false}}, {{5, true}, {6, false}}});
  const std::vector<Shown> others = {{{{3, true}, {4, false}}},
                                     {{{3, true}, {4, false}}, {{5, true}, {7, false}}},
                                     {{{3, true}}, {{4, false}, {5, true}, {6, false}}}};
  for (const auto& other : others) {
    ScoreEnsemble ensemble;
    ensemble.add(model, data);
    EXPECT_MENTIONS(testing::error_of([&] { ensemble.add(model, dataset_of(other)); }), "model 2",
                    "different impressions");
  }
  EXPECT_THROW(ScoreEnsemble().visit(data.parts.test, [](const auto&, auto) {}), std::logic_error);
}

TEST(ScoreEnsemble, RefusesAModelThatDiverged) {
  const RecommenderModel model(tiny("nrms"), 8, 1);
  const c10::NoGradGuard no_gradients;
  model.parameters().at("embedding.token.weight").fill_(std::nan(""));
  ScoreEnsemble ensemble;
  const auto data = dataset_of({{{3, true}, {4, false}}});
  EXPECT_MENTIONS(testing::error_of([&] { ensemble.add(model, data); }), "model 1", "diverged");
}

}  // namespace
}  // namespace fastformer::recommendation
