#include "fastformer/metrics/label_sets.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "support/parity_script.h"
#include "support/temporary_folder.h"

namespace fastformer::metrics {
namespace {

using Labels = std::vector<std::int32_t>;
using Numbers = std::vector<double>;

Labels positions_of(const nlohmann::json& row) {
  Labels labels;
  for (std::size_t c = 0; c < row.size(); ++c) {
    if (row[c].get<int>() == 1) labels.push_back(static_cast<std::int32_t>(c));
  }
  return labels;
}

TEST(LabelSetScoresTest, AreScikitLearns) {
  FASTFORMER_NEEDS_PARITY_SCRIPTS();
  const testing::TemporaryFolder folder;
  const auto file = folder / "cases.json";
  ASSERT_TRUE(testing::run_parity_script("label_set_cases.py", file.string()));
  const auto cases = nlohmann::json::parse(base::read_file(file)).at("cases");
  ASSERT_EQ(cases.size(), 200u);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& one = cases[i];
    const auto documents = one["labels"].size();
    LabelSetScores scores(std::ssize(one["labels"][0]));
    for (std::size_t d = 0; d < documents; ++d) {
      scores.add(positions_of(one["labels"][d]), one["scores"][d].get<Numbers>(),
                 positions_of(one["predicted"][d]));
    }
    EXPECT_EQ(scores.total(), static_cast<std::int64_t>(documents));
    for (const auto& metric : label_set_metrics()) {
      EXPECT_NEAR(metric.value(scores), one[metric.name].get<double>(), 1e-9)
          << metric.name << ' ' << i;
    }
    const auto per_label = scores.per_label();
    for (std::size_t c = 0; c < per_label.size(); ++c) {
      const auto expected = one["per_label"][c].get<Numbers>();
      EXPECT_NEAR(per_label[c].precision, expected[0], 1e-9);
      EXPECT_NEAR(per_label[c].recall, expected[1], 1e-9);
      EXPECT_NEAR(per_label[c].f1, expected[2], 1e-9);
      EXPECT_EQ(static_cast<double>(per_label[c].support), expected[3]);
    }
  }
}

TEST(LabelSetScoresTest, EachDocumentHasItsOwn) {
  LabelSetScores scores(4);
  const auto first = scores.add(Labels{0, 2}, Numbers{0.9, 0.1, 0.4, 0.5}, Labels{0});
  // Ranks 1 and 3; of the three best labels two are right.
  EXPECT_EQ(first, (Numbers{0, 1, 2.0 / 3, 2.0 / 4, (1 + 2.0 / 3) / 2}));
  EXPECT_EQ(scores.add(Labels{}, Numbers{0, 0, 0, 0}, Labels{}), (Numbers{1, 0, 0, 0, 1}));
  EXPECT_EQ(scores.labels_given(), 2);
  EXPECT_EQ(scores.labels_predicted(), 1);
  EXPECT_NEAR(scores.micro_f1(), 2.0 / 3, 1e-15);
}

TEST(LabelSetScoresTest, RefuseWhatIsNoLabel) {
  LabelSetScores scores(2);
  EXPECT_THROW(scores.add(Labels{2}, Numbers{0, 0}, Labels{}), std::invalid_argument);
  EXPECT_THROW(scores.add(Labels{1, 0}, Numbers{0, 0}, Labels{}), std::invalid_argument);
  EXPECT_THROW(scores.add(Labels{}, Numbers{0, 0}, Labels{-1}), std::invalid_argument);
  EXPECT_THROW(scores.add(Labels{}, Numbers{0}, Labels{}), std::invalid_argument);
  EXPECT_THROW(LabelSetScores(0), std::invalid_argument);
}

double f1_at(double threshold, const Numbers& probabilities,
             const std::vector<std::uint8_t>& positive) {
  double right = 0, marked = 0;
  for (std::size_t i = 0; i < positive.size(); ++i) {
    marked += positive[i] + (probabilities[i] >= threshold ? 1 : 0);
    right += positive[i] != 0 && probabilities[i] >= threshold ? 1 : 0;
  }
  return marked == 0 ? 0 : 2 * right / marked;
}

TEST(F1ThresholdTest, NoOtherThresholdIsBetter) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 200; ++round) {
    const auto count = random() % 30;
    Numbers probabilities;
    std::vector<std::uint8_t> positive;
    for (std::size_t i = 0; i < count; ++i) {
      probabilities.push_back(static_cast<double>(random() % 11) / 10);
      positive.push_back(static_cast<double>(random() % 10) < 6 * probabilities.back() ? 1 : 0);
    }
    const double best = best_f1_threshold(probabilities, positive);
    for (double other = 0.001; other < 1.1; other += 0.01) {
      EXPECT_GE(f1_at(best, probabilities, positive), f1_at(other, probabilities, positive) - 1e-12)
          << round;
    }
  }
}

TEST(F1ThresholdTest, LiesBetweenTwoProbabilities) {
  EXPECT_NEAR(best_f1_threshold(Numbers{0.1, 0.9, 0.6}, std::vector<std::uint8_t>{0, 1, 1}), 0.35,
              1e-15);
  EXPECT_EQ(best_f1_threshold(Numbers{0.4}, std::vector<std::uint8_t>{1}), 0.2);
  EXPECT_EQ(best_f1_threshold(Numbers{0.4, 0.8}, std::vector<std::uint8_t>{0, 0}), 0.5);
  EXPECT_EQ(best_f1_threshold({}, {}), 0.5);
}

}  // namespace
}  // namespace fastformer::metrics
