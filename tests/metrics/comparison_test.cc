#include "fastformer/metrics/comparison.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "fastformer/metrics/item_results.h"
#include "support/temporary_folder.h"

namespace fastformer::metrics {
namespace {

namespace fs = std::filesystem;

/// Folders of runs whose files are written by hand.
class Runs {
 public:
  fs::path folder(const std::string& name) const {
    fs::create_directories(folder_ / name);
    return folder_ / name;
  }
  fs::path ranked(const std::string& name, const std::vector<double>& auc,
                  std::uint64_t first_item = 1) const {
    ItemScores items{.metrics = {"auc", "mrr"}};
    for (const double score : auc) items.add(first_item++, {score, 1 - score});
    write_item_scores(folder(name) / kItemScoresFile, items);
    return folder(name);
  }
  fs::path classified(const std::string& name, const std::vector<std::int32_t>& predicted) const {
    write_class_predictions(folder(name) / kClassPredictionsFile, {{0, 1, 0, 1}, predicted});
    return folder(name);
  }

 private:
  testing::TemporaryFolder folder_;
};

TEST(SystemComparison, ScoresOfItemsAreAveragedOverTheRunsItemByItem) {
  const Runs runs;
  // The means of the items are 0.2, 0.4, 0.6 and 0.4, 0.5, 0.9.
  const auto a1 = runs.ranked("a1", {0.1, 0.4, 0.5}), a2 = runs.ranked("a2", {0.3, 0.4, 0.7});
  const auto b1 = runs.ranked("b1", {0.4, 0.5, 0.8}), b2 = runs.ranked("b2", {0.4, 0.5, 1.0});
  const auto comparison = compare_tests({a1, a2}, {b1, b2});
  ASSERT_TRUE(comparison);
  ASSERT_EQ(comparison->size(), 2u);
  const auto expected = paired_bootstrap_of_means({0.2, 0.4, 0.6}, {0.4, 0.5, 0.9}, {});
  EXPECT_NEAR(comparison->at("auc").difference, 0.2, 1e-12);
  EXPECT_NEAR(comparison->at("auc").low, expected.low, 1e-12);
  EXPECT_NEAR(comparison->at("auc").high, expected.high, 1e-12);
  EXPECT_NEAR(comparison->at("auc").p, expected.p, 1e-12);
  EXPECT_NEAR(comparison->at("mrr").difference, -0.2, 1e-12);
}

TEST(SystemComparison, ClassesAreComparedByTheScoresOfAllDocuments) {
  const Runs runs;
  const auto comparison =
      compare_tests({runs.classified("a", {0, 0, 0, 0})}, {runs.classified("b", {0, 1, 0, 1})});
  ASSERT_TRUE(comparison);
  EXPECT_EQ(comparison->at("accuracy").difference, 0.5);
  EXPECT_NEAR(comparison->at("macro_f1").difference, 1 - 1.0 / 3, 1e-12);
}

TEST(SystemComparison, OtherItemsPairWithNothing) {
  const Runs runs;
  const auto a = runs.ranked("a", {0.1, 0.4}), same = runs.ranked("same", {0.2, 0.4});
  const auto other = runs.ranked("other", {0.1, 0.4}, /*first_item=*/7);
  const auto longer = runs.ranked("longer", {0.1, 0.4, 0.5});
  EXPECT_TRUE(compare_tests({a}, {same}));
  EXPECT_FALSE(compare_tests({a}, {other}));
  EXPECT_FALSE(compare_tests({a}, {longer}));
  EXPECT_FALSE(compare_tests({a, other}, {a, a}));
}

TEST(SystemComparison, KnowsWhetherARunLeftWhatItNeeds) {
  const Runs runs;
  EXPECT_FALSE(has_test_results(runs.folder("empty")));
  EXPECT_TRUE(has_test_results(runs.ranked("a", {0.5})));
  EXPECT_TRUE(has_test_results(runs.classified("b", {0, 0, 0, 0})));
  EXPECT_MENTIONS(
      testing::error_of([&] { compare_tests({runs.ranked("a", {0.5})}, {runs.folder("empty")}); }),
      "empty/test_items.csv");
}

}  // namespace
}  // namespace fastformer::metrics
