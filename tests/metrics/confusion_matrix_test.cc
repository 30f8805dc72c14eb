#include "fastformer/metrics/confusion_matrix.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <stdexcept>
#include <vector>

namespace fastformer::metrics {
namespace {

ConfusionMatrix confusion_of(std::int64_t classes, const std::vector<std::int32_t>& labels,
                             const std::vector<std::int32_t>& predicted) {
  ConfusionMatrix confusion(classes);
  for (std::size_t i = 0; i < labels.size(); ++i) confusion.add(labels[i], predicted[i]);
  return confusion;
}

// The expected numbers are scikit-learn 1.9's. Class 3 is only ever predicted, class 5 is absent.
const std::vector<std::int32_t> kLabels = {0, 0, 0, 1, 1, 2, 2, 2, 2, 4, 4, 0};
const std::vector<std::int32_t> kPredicted = {0, 1, 0, 1, 1, 2, 0, 2, 3, 4, 2, 0};

TEST(ConfusionMatrix, AgreesWithScikitLearn) {
  const auto confusion = confusion_of(6, kLabels, kPredicted);
  EXPECT_EQ(confusion.total(), 12);
  EXPECT_EQ(confusion.count(2, 3), 1);
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 0.66666666666666663);
  EXPECT_DOUBLE_EQ(confusion.macro_f1(), 0.55761904761904757);
}

TEST(ConfusionMatrix, ScoresEveryClass) {
  const auto metrics = confusion_of(6, kLabels, kPredicted).per_class();
  const std::vector<ClassMetrics> expected = {
      {0.75, 0.75, 0.75, 4},
      {0.6666666666666666, 1.0, 0.8, 2},
      {0.6666666666666666, 0.5, 0.5714285714285714, 4},
      {0, 0, 0, 0},
      {1.0, 0.5, 0.6666666666666666, 2},
      {0, 0, 0, 0},
  };
  ASSERT_EQ(metrics.size(), expected.size());
  for (std::size_t c = 0; c < expected.size(); ++c) {
    EXPECT_DOUBLE_EQ(metrics[c].precision, expected[c].precision) << "class " << c;
    EXPECT_DOUBLE_EQ(metrics[c].recall, expected[c].recall) << "class " << c;
    EXPECT_DOUBLE_EQ(metrics[c].f1, expected[c].f1) << "class " << c;
    EXPECT_EQ(metrics[c].support, expected[c].support) << "class " << c;
  }
}

TEST(ConfusionMatrix, ClassThatIsNeverPredictedCounts) {
  const auto confusion = confusion_of(2, {0, 0, 1, 1}, {0, 0, 0, 0});
  EXPECT_DOUBLE_EQ(confusion.macro_f1(), 0.33333333333333331);
}

TEST(ConfusionMatrix, IsZeroBeforeTheFirstExample) {
  const ConfusionMatrix confusion(3);
  EXPECT_EQ(confusion.accuracy(), 0.0);
  EXPECT_EQ(confusion.macro_f1(), 0.0);
  EXPECT_EQ(confusion.per_class().size(), 3u);
}

TEST(ConfusionMatrix, RefusesWhatIsNoClass) {
  EXPECT_THROW(ConfusionMatrix(0), std::invalid_argument);
  ConfusionMatrix confusion(3);
  EXPECT_THROW(confusion.add(3, 0), std::invalid_argument);
  EXPECT_THROW(confusion.add(0, -1), std::invalid_argument);
  EXPECT_EQ(confusion.total(), 0);
}

}  // namespace
}  // namespace fastformer::metrics
