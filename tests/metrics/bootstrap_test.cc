#include "fastformer/metrics/bootstrap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "fastformer/metrics/confusion_matrix.h"
#include "support/temporary_folder.h"

namespace fastformer::metrics {
namespace {

using Predictions = std::vector<std::int32_t>;

// Documents of which `better` only the second system gets right, `worse` only the first.
struct TwoSystems {
  Predictions labels, first, second;

  TwoSystems(int better, int worse, int both) {
    for (int i = 0; i < better + worse + both; ++i) {
      labels.push_back(i % 2);
      const bool first_right = i >= better, second_right = i < better || i >= better + worse;
      first.push_back(first_right ? i % 2 : 1 - i % 2);
      second.push_back(second_right ? i % 2 : 1 - i % 2);
    }
  }
};

double normal_probability(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

TEST(PairedBootstrap, FollowsTheNormalDistributionOnManyDocuments) {
  // 60 and 40 of 1,000 documents: the resampled sum has mean 20 and variance 100 - 0.4.
  const TwoSystems systems(60, 40, 900);
  const auto accuracy =
      paired_bootstrap(systems.labels, {systems.first}, {systems.second}, {}).at("accuracy");
  const double deviation = std::sqrt(1000 * (0.1 - 0.02 * 0.02)) / 1000;
  EXPECT_NEAR(accuracy.difference, 0.02, 1e-15);
  EXPECT_NEAR(accuracy.low, 0.02 - 1.959964 * deviation, 0.05 * deviation + 0.0005);
  EXPECT_NEAR(accuracy.high, 0.02 + 1.959964 * deviation, 0.05 * deviation + 0.0005);
  // The sum is a whole number: at most 0 is below 0.5. Four standard errors of the share.
  const double share = normal_probability((0.0005 - 0.02) / deviation);
  EXPECT_NEAR(accuracy.p, 2 * share, 2 * 4 * std::sqrt(share / 10'000));
}

// The exact distribution over all n^n draws of n documents.
struct Enumeration {
  double at_most_zero = 0, at_least_zero = 0, mean = 0;
};

double macro_f1_on(const Predictions& labels, const Predictions& predicted,
                   const std::vector<std::size_t>& drawn) {
  ConfusionMatrix confusion(3);
  for (const auto i : drawn) confusion.add(labels[i], predicted[i]);
  return confusion.macro_f1();
}

Enumeration enumerate(const Predictions& labels, const std::vector<Predictions>& first,
                      const std::vector<Predictions>& second) {
  const auto n = labels.size();
  std::vector<std::size_t> drawn(n, 0);
  Enumeration exact;
  double total = 0;
  while (true) {
    double difference = 0;
    for (std::size_t run = 0; run < first.size(); ++run) {
      difference +=
          macro_f1_on(labels, second[run], drawn) - macro_f1_on(labels, first[run], drawn);
    }
    difference /= static_cast<double>(first.size());
    exact.at_most_zero += difference <= 1e-12 ? 1 : 0;
    exact.at_least_zero += difference >= -1e-12 ? 1 : 0;
    exact.mean += difference;
    ++total;
    std::size_t place = 0;
    while (place < n && ++drawn[place] == n) drawn[place++] = 0;
    if (place == n) break;
  }
  exact.at_most_zero /= total;
  exact.at_least_zero /= total;
  exact.mean /= total;
  return exact;
}

TEST(PairedBootstrap, AgreesWithAllDrawsOfAFewDocuments) {
  const Predictions labels = {0, 0, 1, 1, 2, 2};
  const std::vector<Predictions> first = {{0, 1, 1, 0, 2, 0}, {0, 2, 1, 1, 0, 0}};
  const std::vector<Predictions> second = {{0, 0, 1, 1, 0, 2}, {0, 0, 1, 0, 2, 1}};
  const auto f1 =
      paired_bootstrap(labels, first, second, {.classes = 3, .resamples = 40'000}).at("macro_f1");
  const auto exact = enumerate(labels, first, second);
  const double share = std::min(exact.at_most_zero, exact.at_least_zero);
  EXPECT_NEAR(f1.p, 2 * share, 2 * 4 * std::sqrt(share * (1 - share) / 40'000) + 2.0 / 40'000);
  double observed = 0;
  std::vector<std::size_t> each(labels.size());
  std::iota(each.begin(), each.end(), std::size_t{0});
  for (int run = 0; run < 2; ++run) {
    observed += macro_f1_on(labels, second[run], each) - macro_f1_on(labels, first[run], each);
  }
  EXPECT_NEAR(f1.difference, observed / 2, 1e-15);
  EXPECT_LT(f1.low, exact.mean);
  EXPECT_GT(f1.high, exact.mean);
}

TEST(PairedBootstrap, EqualSystemsDoNotDiffer) {
  const TwoSystems systems(5, 3, 20);
  const auto same = paired_bootstrap(systems.labels, {systems.first}, {systems.first}, {});
  EXPECT_EQ(same.at("accuracy").difference, 0);
  EXPECT_EQ(same.at("accuracy").p, 1);
  EXPECT_EQ(same.at("macro_f1").p, 1);
  EXPECT_EQ(same.at("macro_f1").high, 0);
  // Two runs that trade places are equal on every draw, too.
  const auto swapped = paired_bootstrap(systems.labels, {systems.first, systems.second},
                                        {systems.second, systems.first}, {});
  EXPECT_EQ(swapped.at("accuracy").p, 1);
  EXPECT_EQ(swapped.at("macro_f1").p, 1);
}

TEST(PairedBootstrap, RunsOfOneSystemAreNoIndependentEvidence) {
  const TwoSystems systems(6, 2, 20);
  const auto once = paired_bootstrap(systems.labels, {systems.first}, {systems.second}, {});
  const std::vector<Predictions> first(5, systems.first), second(5, systems.second);
  const auto repeated = paired_bootstrap(systems.labels, first, second, {});
  EXPECT_DOUBLE_EQ(once.at("accuracy").p, repeated.at("accuracy").p);
  EXPECT_NEAR(once.at("accuracy").low, repeated.at("accuracy").low, 1e-12);
}

TEST(PairedBootstrap, ASeedGivesOneAnswerAndTheOrderOnlyTheSign) {
  const TwoSystems systems(12, 7, 60);
  const auto once = paired_bootstrap(systems.labels, {systems.first}, {systems.second}, {});
  const auto again = paired_bootstrap(systems.labels, {systems.first}, {systems.second}, {});
  EXPECT_EQ(once.at("macro_f1").low, again.at("macro_f1").low);
  EXPECT_EQ(once.at("accuracy").p, again.at("accuracy").p);
  const auto turned = paired_bootstrap(systems.labels, {systems.second}, {systems.first}, {});
  EXPECT_DOUBLE_EQ(turned.at("accuracy").difference, -once.at("accuracy").difference);
  EXPECT_DOUBLE_EQ(turned.at("accuracy").p, once.at("accuracy").p);
  EXPECT_DOUBLE_EQ(turned.at("macro_f1").low, -once.at("macro_f1").high);
  const auto other =
      paired_bootstrap(systems.labels, {systems.first}, {systems.second}, {.seed = 2});
  EXPECT_NE(once.at("accuracy").p, other.at("accuracy").p);
}

TEST(PairedBootstrap, RefusesWhatCannotBePaired) {
  const auto error = [](const Predictions& labels, const std::vector<Predictions>& first,
                        const std::vector<Predictions>& second) {
    return testing::error_of([&] { paired_bootstrap(labels, first, second, {}); });
  };
  EXPECT_MENTIONS(error({}, {{}}, {{}}), "0 documents");
  EXPECT_MENTIONS(error({0}, {}, {}), "0 and 0 runs");
  EXPECT_MENTIONS(error({0}, {{0}}, {{0}, {1}}), "1 and 2 runs");
  EXPECT_MENTIONS(error({0, 1}, {{0, 1}}, {{0}}), "expected 2 numbers from 0 to 1");
  EXPECT_MENTIONS(error({0, 1}, {{0, 2}}, {{0, 1}}), "from 0 to 1");
}

TEST(BootstrapMeans, FollowTheNormalDistributionOnManyDocuments) {
  // Column 0: a third of 900 is 1, variance 2 / 9. Column 1: its complement. Column 2: constant.
  std::vector<double> scores;
  for (int i = 0; i < 900; ++i) {
    const double one = i % 3 == 0 ? 1 : 0;
    scores.insert(scores.end(), {one, 1 - one, 0.25});
  }
  const auto means = bootstrap_means(scores, 3, {});
  ASSERT_EQ(means.size(), 3u);
  const double deviation = std::sqrt(2.0 / 9 / 900);
  EXPECT_NEAR(means[0].mean, 1.0 / 3, 1e-12);
  EXPECT_NEAR(means[0].low, 1.0 / 3 - 1.959964 * deviation, 0.05 * deviation + 0.0006);
  EXPECT_NEAR(means[0].high, 1.0 / 3 + 1.959964 * deviation, 0.05 * deviation + 0.0006);
  // One draw holds for all columns, so that what mirrors each other does so in its interval.
  EXPECT_NEAR(means[1].low, 1 - means[0].high, 1e-12);
  EXPECT_EQ(means[2].low, 0.25);
  EXPECT_EQ(means[2].high, 0.25);
  EXPECT_EQ(means[0].low, bootstrap_means(scores, 3, {})[0].low);
}

TEST(BootstrapMeans, RefuseWhatIsNoTable) {
  const std::vector<double> scores = {1, 2, 3};
  EXPECT_MENTIONS(testing::error_of([&] { bootstrap_means(scores, 2, {}); }), "3 numbers for 2");
  EXPECT_MENTIONS(testing::error_of([&] { bootstrap_means({}, 2, {}); }), "one whole row");
  EXPECT_MENTIONS(testing::error_of([&] { bootstrap_means(scores, 0, {}); }), "0 columns");
  EXPECT_MENTIONS(testing::error_of([&] { bootstrap_means(scores, 3, {.resamples = 0}); }),
                  "0 resamples");
}

TEST(BootstrapOfMeans, IsThatOfAccuracyForZerosAndOnes) {
  const TwoSystems systems(12, 7, 60);
  const auto right = [&](const Predictions& predicted) {
    std::vector<double> result;
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      result.push_back(predicted[i] == systems.labels[i] ? 1 : 0);
    }
    return result;
  };
  const auto expected =
      paired_bootstrap(systems.labels, {systems.first}, {systems.second}, {}).at("accuracy");
  const auto actual = paired_bootstrap_of_means(right(systems.first), right(systems.second), {});
  EXPECT_NEAR(actual.difference, expected.difference, 1e-12);
  EXPECT_NEAR(actual.low, expected.low, 1e-12);
  EXPECT_NEAR(actual.high, expected.high, 1e-12);
  EXPECT_DOUBLE_EQ(actual.p, expected.p);
}

TEST(BootstrapOfMeans, RefusesListsThatCannotBePaired) {
  EXPECT_MENTIONS(testing::error_of([] { paired_bootstrap_of_means({}, {}, {}); }), "0 and 0");
  EXPECT_MENTIONS(testing::error_of([] { paired_bootstrap_of_means({1}, {1, 2}, {}); }), "1 and 2");
}

}  // namespace
}  // namespace fastformer::metrics
