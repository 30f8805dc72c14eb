#include "fastformer/linear/linear_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace fastformer::linear {
namespace {

struct Corpus {
  std::vector<std::string> texts;
  std::vector<std::int32_t> labels;
};

// Each class has words of its own among common ones.
Corpus corpus(std::int64_t rows, std::int32_t classes) {
  std::mt19937_64 random(3);
  Corpus result;
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto label = static_cast<std::int32_t>(i % classes);
    std::string text;
    for (int w = 0; w < 6; ++w) {
      text += (random() % 3 == 0 ? "topic" + std::to_string(label) + std::to_string(random() % 4)
                                 : "word" + std::to_string(random() % 30)) +
              " ";
    }
    result.texts.push_back(text);
    result.labels.push_back(label);
  }
  return result;
}

NgramTable table_of(const Corpus& corpus, const NgramConfig& config) {
  return NgramTable::learn(config, {}, [&](const auto& use) {
    for (const auto& text : corpus.texts) use(text);
  });
}

LabelledRows rows_of(const Corpus& corpus, const NgramTable& table, std::int64_t classes) {
  LabelledRows rows{.columns = {}, .targets = Targets::of_classes(corpus.labels, classes)};
  for (const auto& text : corpus.texts) {
    auto& columns = rows.columns.emplace_back();
    table.encode(text, columns);
    std::sort(columns.begin(), columns.end());
  }
  return rows;
}

LinearMember fit_all(const LabelledRows& rows, const NgramTable& table,
                     const MemberConfig& config) {
  return fit(rows, all_rows(rows.size()), all_classes(rows.targets.classes), table, config);
}

// The values of a text by the definition: (1 + ln count) * idf, words and characters of length 1.
TEST(LinearMemberTest, TfidfIsAsDefined) {
  const std::vector<float> scale = {2, 3, 0, 5};
  const std::vector<bool> is_word = {true, true, true, false};
  const std::vector<std::int32_t> columns = {0, 0, 1, 2, 3, 3};
  const auto row = row_of(Weighting::kTfidf, scale, is_word, columns);
  ASSERT_EQ(row.size(), 3u);
  const double first = (1 + std::log(2.0)) * 2, second = 3, length = std::hypot(first, second);
  EXPECT_NEAR(row[0].second, first / length, 1e-6);
  EXPECT_NEAR(row[1].second, second / length, 1e-6);
  EXPECT_NEAR(row[2].second, 1, 1e-6);
  const auto binary =
      row_of(Weighting::kNaiveBayes, std::vector<float>{1, 1, 0, 1}, is_word, columns);
  for (const auto& [column, value] : binary) EXPECT_EQ(value, 1);
}

// Minimizes |w|^2 / 2 + C sum(loss): the value at the result is below that of weights nearby.
// Random numbers for tables and rows of many sizes: every path of the sort and of the sums.
TEST(LinearModelTest, ScoresAreThoseOfTheDefinition) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (const std::int64_t size : {1, 1023, 1024, 1025, 70'000}) {
    for (const std::int64_t classes : {1, 4, 5, 17, 21}) {
      std::vector<std::uint64_t> keys(static_cast<std::size_t>(size));
      for (auto& key : keys) key = random() & ~std::uint64_t{7};  // n-grams of characters
      const auto columns = static_cast<std::size_t>(size);
      LinearMember member{.config = {}, .classes = classes};
      for (std::size_t i = 0; i < columns; ++i)
        member.scale.push_back(i % 5 == 0 ? 0 : uniform(random) + 2);
      for (std::size_t i = 0; i < columns * static_cast<std::size_t>(classes); ++i) {
        member.weights.push_back(to_bfloat16(uniform(random)));
      }
      for (std::int64_t c = 0; c < classes; ++c) member.bias.push_back(uniform(random));
      const LinearModel model(NgramTable({.words = 1, .characters = 5}, {}, keys), {member}, {{}});
      for (const std::size_t count : {0, 1, 63, 64, 3000}) {
        std::vector<std::int32_t> text(count);
        for (auto& column : text) {
          column = static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(size));
        }
        std::map<std::int32_t, int> counts;
        for (const auto column : text) ++counts[column];
        double squares = 0;
        std::vector<double> expected(member.bias.begin(), member.bias.end());
        const auto value = [&](const auto& entry) {
          return (1 + std::log(entry.second)) * member.scale[static_cast<std::size_t>(entry.first)];
        };
        for (const auto& entry : counts) squares += value(entry) * value(entry);
        for (const auto& entry : counts) {
          for (std::int64_t c = 0; c < classes && squares > 0; ++c) {
            expected[static_cast<std::size_t>(c)] +=
                value(entry) / std::sqrt(squares) * member.weight(entry.first, c);
          }
        }
        const auto scores = model.scores(text).front();
        for (std::size_t c = 0; c < expected.size(); ++c) {
          ASSERT_NEAR(scores[c], expected[c], 2e-5) << size << " columns, " << count << " of them";
        }
      }
    }
  }
}

TEST(SolverTest, TheWeightsOfAnSvmAreOptimal) {
  const auto data = corpus(120, 2);
  const auto table = table_of(data, {.words = 1, .characters = 0});
  const auto rows = rows_of(data, table, 2);
  const MemberConfig config{.words = 1, .c = 0.5};
  const auto member = fit_all(rows, table, config);
  const auto is_word = word_columns(table);
  const auto value = [&](const std::vector<double>& w, double bias) {
    double sum = bias * bias / 2;
    for (const double x : w) sum += x * x / 2;
    for (std::int64_t i = 0; i < rows.size(); ++i) {
      double score = bias;
      for (const auto& [column, x] : row_of(config.weighting, member.scale, is_word,
                                            rows.columns[static_cast<std::size_t>(i)])) {
        score += x * w[static_cast<std::size_t>(column)];
      }
      const double target = rows.targets.of(i).front() == 0 ? 1 : -1;
      sum += config.c * std::pow(std::max(0.0, 1 - target * score), 2);
    }
    return sum;
  };
  std::vector<double> w;
  for (std::int32_t f = 0; f < table.size(); ++f) w.push_back(member.weight(f, 0));
  const double best = value(w, member.bias[0]);
  EXPECT_LT(best, 0.9 * value(std::vector<double>(w.size()), 0));
  for (std::size_t f = 0; f < w.size(); ++f) {
    for (const double step : {-0.1, 0.1}) {
      auto moved = w;
      moved[f] += step;
      EXPECT_LT(best, value(moved, member.bias[0])) << f;
    }
    EXPECT_EQ(member.weight(static_cast<std::int32_t>(f), 1), -w[f]);
  }
}

TEST(LinearModelTest, EachWeightingLearnsEachNumberOfClasses) {
  for (const std::int32_t classes : {2, 3}) {
    const auto data = corpus(300, classes);
    auto table = table_of(data, {.words = 2, .characters = 3});
    const auto rows = rows_of(data, table, classes);
    const LabelledRows none{.columns = {}, .targets = {.classes = classes}};
    const auto model = LinearModel::fit(rows, none, std::move(table), {.words = 2});
    ASSERT_EQ(model.members().size(), 2u);
    for (std::size_t k = 0; k < 2; ++k) {
      EXPECT_GT(model.calibrations()[k].sharpness, 0);
      std::int64_t right = 0;
      for (std::int64_t i = 0; i < rows.size(); ++i) {
        const auto scores = model.scores(rows.columns[static_cast<std::size_t>(i)])[k];
        right += std::max_element(scores.begin(), scores.end()) - scores.begin() ==
                 rows.targets.of(i).front();
      }
      EXPECT_GT(right, 280) << classes << ' ' << k;
    }
  }
}

TEST(LinearModelTest, FittingTwiceGivesTheSameWeights) {
  const auto data = corpus(200, 3);
  const auto table = table_of(data, {.words = 2, .characters = 0});
  const auto rows = rows_of(data, table, 3);
  for (const auto weighting : {Weighting::kTfidf, Weighting::kNaiveBayes}) {
    const MemberConfig config{.weighting = weighting, .c = 1};
    const auto a = fit_all(rows, table, config), b = fit_all(rows, table, config);
    EXPECT_EQ(a.weights, b.weights);
    EXPECT_EQ(a.bias, b.bias);
  }
}

TEST(LinearModelTest, FittingAgainKeepsTheSettingsAndReadsOtherRows) {
  const auto some = corpus(200, 3), more = corpus(400, 3);
  const auto table = table_of(more, {.words = 2});
  const auto model =
      LinearModel::fit(rows_of(some, table, 3), rows_of(some, table, 3), table, LinearConfig{});
  const auto same = model.refitted(rows_of(some, table, 3));
  const auto other = model.refitted(rows_of(more, table, 3));
  ASSERT_EQ(same.members().size(), model.members().size());
  for (std::size_t k = 0; k < model.members().size(); ++k) {
    EXPECT_EQ(same.members()[k].weights, model.members()[k].weights);
    EXPECT_NE(other.members()[k].weights, model.members()[k].weights);
    EXPECT_EQ(other.members()[k].config.c, model.members()[k].config.c);
    EXPECT_EQ(other.calibrations()[k].sharpness, model.calibrations()[k].sharpness);
  }
}

TEST(LinearModelTest, NgramsOfOneTextCountWhereTopicsHaveManyWords) {
  std::mt19937_64 random(3);
  Corpus data;
  for (std::int32_t i = 0; i < 300; ++i) {  // each topic word is in two texts on average
    data.labels.push_back(i % 2);
    data.texts.push_back("word" + std::to_string(random() % 9) + " topic" + std::to_string(i % 2) +
                         std::to_string(random() % 75));
  }
  const auto table = table_of(data, {.words = 1, .characters = 0});
  const auto rows = rows_of(data, table, 2);
  const auto used = [&](std::int64_t minimum_texts) {
    const auto scale =
        fit_all(rows, table, {.words = 1, .minimum_texts = minimum_texts, .c = 1}).scale;
    return std::ssize(scale) - std::ranges::count(scale, 0.0f);
  };
  EXPECT_EQ(used(1), table.size());
  EXPECT_LT(used(2), table.size());
  const LabelledRows none{.columns = {}, .targets = {.classes = 2}};
  const auto model = LinearModel::fit(rows, none, table, {.words = 1});
  for (const auto& member : model.members()) EXPECT_EQ(member.config.minimum_texts, 1);
}

TEST(LinearModelTest, WithoutUnusedNgramsTheScoresAreTheSame) {
  const auto data = corpus(300, 3);
  const auto table = table_of(data, {.words = 3, .characters = 4});
  const auto rows = rows_of(data, table, 3);
  const LinearModel model(table, {fit_all(rows, table, {.words = 2, .c = 1})}, {{}});
  const auto less = model.without_unused();
  EXPECT_LT(less.table().size(), table.size() / 2);
  EXPECT_EQ(less.table().config().words, 2);
  EXPECT_EQ(less.table().config().characters, 0);
  const std::string text = "topic01 word3 unknown word4 word4 topic22 word3";
  std::vector<std::int32_t> columns, fewer;
  table.encode(text, columns);
  less.table().encode(text, fewer);
  EXPECT_LT(fewer.size(), columns.size());
  EXPECT_EQ(less.scores(fewer), model.scores(columns));
}

TEST(LinearModelTest, AClassWithoutRowsAndOneWithAllAreNoFault) {
  const auto data = corpus(30, 1);
  const auto table = table_of(data, {.words = 1, .characters = 0});
  const auto rows = rows_of(data, table, 3);
  const auto member = fit_all(rows, table, {.words = 1});
  EXPECT_EQ(member.bias, (std::vector<float>{1, -1, -1}));
}

// The contributions and the biases are all of the pool's logit, relative to the mean of the
// classes.
TEST(LinearModelTest, ContributionsAddUpToTheLogit) {
  const auto data = corpus(200, 3);
  auto table = table_of(data, {.words = 2, .characters = 3});
  const auto rows = rows_of(data, table, 3);
  const LabelledRows none{.columns = {}, .targets = {.classes = 3}};
  const auto model = LinearModel::fit(rows, none, std::move(table), {.words = 2});
  const Pool pool{{0.5, 0.7, 0.2}};
  const std::string text = "topic01 word3 word4 topic22";
  std::vector<std::int32_t> columns;
  model.table().encode(text, columns);
  const auto scores = model.scores(columns);
  for (std::int64_t label = 0; label < 3; ++label) {
    double expected = 0, sum = 0;
    for (std::size_t k = 0; k < 2; ++k) {
      const auto& bias = model.members()[k].bias;
      for (std::size_t c = 0; c < 3; ++c) {
        const double part = (static_cast<std::int64_t>(c) == label ? 1.0 : 0.0) - 1.0 / 3;
        expected += pool.coefficients[k + 1] * part * (scores[k][c] - bias[c]);
      }
    }
    const auto contributions = model.contributions(text, label, pool, Baseline::kMeanOfClasses);
    for (const auto& [spelling, amount] : contributions) sum += amount;
    EXPECT_NEAR(sum, expected, 1e-5);
    EXPECT_GE(std::abs(contributions.front().second), std::abs(contributions.back().second));
  }
}

// Each text has the topics whose words it holds: none, one or two of three.
struct SeveralTopics {
  SeveralTopics() {
    std::mt19937_64 random(4);
    for (int i = 0; i < 400; ++i) {
      std::vector<std::int32_t> labels;
      std::string text = "word" + std::to_string(random() % 9);
      for (std::int32_t label = 0; label < 3; ++label) {
        if (random() % 3 > 0) continue;
        labels.push_back(label);
        text += " topic" + std::to_string(label) + " word" + std::to_string(random() % 9);
      }
      texts.texts.push_back(text);
      targets.add(labels);
    }
    table = table_of(texts, {.words = 2, .characters = 0});
    texts.labels.assign(texts.texts.size(), 0);
    rows = rows_of(texts, *table, 3);
    rows.targets = targets;
  }
  Corpus texts;
  Targets targets{.classes = 3, .several = true};
  std::optional<NgramTable> table;
  LabelledRows rows;
};

TEST(LinearModelTest, EachOfSeveralLabelsIsDecidedOnItsOwn) {
  SeveralTopics data;
  const LabelledRows none{.columns = {}, .targets = {.classes = 3, .several = true}};
  const auto model = LinearModel::fit(data.rows, none, *data.table, {.words = 2});
  ASSERT_EQ(model.members().size(), 2u);
  for (std::size_t k = 0; k < 2; ++k) {
    EXPECT_GT(model.calibrations()[k].sharpness, 0);
    std::int64_t right = 0;
    for (std::int64_t i = 0; i < data.rows.size(); ++i) {
      const auto scores = model.scores(data.rows.columns[static_cast<std::size_t>(i)])[k];
      std::vector<std::int32_t> predicted;
      for (std::int32_t c = 0; c < 3; ++c) {
        if (scores[static_cast<std::size_t>(c)] > 0) predicted.push_back(c);
      }
      right += std::ranges::equal(predicted, data.targets.of(i)) ? 1 : 0;
    }
    EXPECT_GT(right, 380) << k;
  }
}

TEST(LinearModelTest, OfTwoLabelsNeitherIsTheOppositeOfTheOther) {
  SeveralTopics data;
  const std::vector<std::int32_t> classes = {0, 2};
  const auto member =
      fit(data.rows, all_rows(data.rows.size()), classes, *data.table, {.words = 1});
  const auto whole = fit_all(data.rows, *data.table, {.words = 1});
  ASSERT_EQ(member.classes, 2);
  for (std::int32_t f = 0; f < data.table->size(); ++f) {
    EXPECT_EQ(member.weight(f, 0), whole.weight(f, 0));
    EXPECT_EQ(member.weight(f, 1), whole.weight(f, 2));
  }
  EXPECT_NE(member.bias[0], -member.bias[1]);
}

TEST(LinearModelTest, ContributionsFromZeroAddUpToTheScore) {
  SeveralTopics data;
  const LabelledRows none{.columns = {}, .targets = {.classes = 3, .several = true}};
  const auto model = LinearModel::fit(data.rows, none, *data.table, {.words = 2});
  const Pool pool{.coefficients = {0.5, 0.7, 0.2}, .bias = 1};
  const std::string text = "word1 topic2 word3";
  std::vector<std::int32_t> columns;
  model.table().encode(text, columns);
  const auto scores = model.scores(columns);
  double expected = 0, sum = 0;
  for (std::size_t k = 0; k < 2; ++k) {
    expected += pool.coefficients[k + 1] * (scores[k][2] - model.members()[k].bias[2]);
  }
  for (const auto& [spelling, amount] : model.contributions(text, 2, pool, Baseline::kZero)) {
    sum += amount;
  }
  EXPECT_NEAR(sum, expected, 1e-5);
}

}  // namespace
}  // namespace fastformer::linear
