#include "fastformer/recommendation/recommender.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/recommendation/recommender_model.h"
#include "fastformer/recommendation/training.h"
#include "support/temporary_folder.h"

namespace fastformer::recommendation {
namespace {

using Ids = std::vector<std::string>;

constexpr int kOfATopic = 8;

std::string id_of(bool sport, int number) {
  return base::format("%c%d", sport ? 'S' : 'M', number % kOfATopic);
}

std::vector<Item> two_topics() {
  std::vector<Item> items;
  for (int i = 0; i < kOfATopic; ++i) {
    items.push_back({id_of(true, i), base::format("the team wins match %d", i), "sport"});
    items.push_back({id_of(false, i), base::format("oil prices fall %d percent", i), "markets"});
  }
  return items;
}

// Each user clicks one of the two topics.
std::vector<ImpressionExample> impressions() {
  std::vector<ImpressionExample> examples;
  for (int i = 0; i < 48; ++i) {
    const bool sport = i % 2 == 0;
    examples.push_back({.user = std::to_string(i),
                        .time = static_cast<double>(i),
                        .history = {id_of(sport, i), id_of(sport, i + 3)},
                        .clicked = {id_of(sport, i + 5)},
                        .skipped = {id_of(!sport, i + 1), id_of(!sport, i + 2)}});
  }
  return examples;
}

Recipe small_recipe() {
  Recipe recipe;
  recipe.model = model_preset(ModelKind::kNrms);
  recipe.model.encoder.width = 8;
  recipe.model.encoder.heads = recipe.model.users.encoder.heads = 2;
  recipe.model.query_width = 8;
  recipe.model.initial_deviation = 0.3;
  recipe.text.minimum_count = 1;
  recipe.batch_size = 8;
  recipe.train.epochs = 4;
  recipe.train.learning_rate = 0.02;
  recipe.train.threads = 1;
  return recipe;
}

class RecommenderFacade : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    recommender_ = new Recommender(train(two_topics(), impressions(), small_recipe()));
    catalogue_ = new Catalogue(recommender_->catalogue(two_topics()));
  }
  static void TearDownTestSuite() {
    delete catalogue_;
    delete recommender_;
  }
  inline static Recommender* recommender_ = nullptr;
  inline static Catalogue* catalogue_ = nullptr;
};

double product(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

TEST_F(RecommenderFacade, LearnsFromMemoryWhatUsersLike) {
  EXPECT_EQ(catalogue_->size(), 2 * kOfATopic);
  EXPECT_EQ(catalogue_->encoded(), 2 * kOfATopic);
  const auto result = recommender_->recommend(*catalogue_, Ids{"S1", "S4"}, 5);
  ASSERT_EQ(result.items.size(), 5u);
  EXPECT_TRUE(result.unknown.empty());
  for (std::size_t i = 0; i < result.items.size(); ++i) {
    const auto& item = result.items[i];
    EXPECT_TRUE(item.id.starts_with('S') && item.id != "S1" && item.id != "S4") << item.id;
    EXPECT_TRUE(item.title.starts_with("the team wins")) << item.title;
    if (i > 0) {
      EXPECT_LE(item.score, result.items[i - 1].score);
    }
  }
}

TEST_F(RecommenderFacade, AScoreIsTheProductOfAUserAndAnItem) {
  const Ids history = {"S1", "M4"};
  const auto best = recommender_->recommend(*catalogue_, history, 1).items.at(0);
  const auto items = recommender_->embed(Ids{best.title});
  const auto users = recommender_->embed_users(*catalogue_, std::vector<Ids>{history, {"M4"}, {}});
  EXPECT_NEAR(product(users.row(0), items.row(0)), best.score, 1e-5);
  ASSERT_EQ(best.reasons.size(), 2u);
  EXPECT_EQ(best.reasons[0].id, "S1");
  EXPECT_EQ(best.reasons[0].title, "the team wins match 1");
  EXPECT_NEAR(best.reasons[0].added, best.score - product(users.row(1), items.row(0)), 1e-5);
  EXPECT_EQ(product(users.row(2), items.row(0)), 0) << "a user without clicks";
}

TEST_F(RecommenderFacade, IgnoresUnknownClicks) {
  const auto result = recommender_->recommend(*catalogue_, Ids{"X1", "S1", "X2"});
  EXPECT_EQ(result.unknown, (Ids{"X1", "X2"}));
  const auto known = recommender_->recommend(*catalogue_, Ids{"S1"});
  ASSERT_EQ(result.items.size(), known.items.size());
  for (std::size_t i = 0; i < known.items.size(); ++i) {
    EXPECT_EQ(result.items[i].id, known.items[i].id);
    EXPECT_EQ(result.items[i].score, known.items[i].score);
  }
}

TEST_F(RecommenderFacade, OptionsBelongToAModel) {
  const testing::TemporaryFolder folder;
  const auto& content = recommender_->content();
  save_recommender(folder / "model", content.data_config, *content.tokenizer, *content.model,
                   nullptr, "");
  const auto exact = Recommender::load(folder / "model", {.threads = 1});
  const auto rounded =
      Recommender::load(folder / "model", {.threads = 1, .precision = kernels::Precision::kBf16});
  const Ids titles = {"the team wins match 1", "oil prices fall"};
  const auto before = exact.embed(titles).values;
  EXPECT_NE(rounded.embed(titles).values, before);
  EXPECT_EQ(exact.embed(titles).values, before);
  EXPECT_EQ(exact.data_config().history, content.data_config.history);
}

TEST_F(RecommenderFacade, RefusesWhatCannotBeAnswered) {
  const auto error = [](const Catalogue& catalogue, const Ids& history) {
    return testing::error_of([&] { recommender_->recommend(catalogue, history); });
  };
  EXPECT_MENTIONS(error(*catalogue_, {"X1", "X2"}), "'X1'", "the catalogue");
  const auto one = recommender_->catalogue(std::vector<Item>{{"S1", "the team wins", ""}});
  EXPECT_MENTIONS(error(one, {"S1"}), "no other items");
  const auto none = recommender_->catalogue(std::vector<Item>{});
  EXPECT_EQ(none.size(), 0);
  EXPECT_MENTIONS(error(none, {}), "no other items");
  EXPECT_MENTIONS(testing::error_of([] { recommender_->catalogue("/nowhere"); }), "/nowhere");
  EXPECT_MENTIONS(testing::error_of([] { Recommender::load("/nowhere"); }), "/nowhere",
                  "not a model directory");
}

TEST(RecommenderTraining, RefusesExamplesThatTeachNothing) {
  const auto error = [](const std::vector<ImpressionExample>& examples) {
    return testing::error_of([&] { train(two_topics(), examples, small_recipe()); });
  };
  EXPECT_MENTIONS(error({}), "none of the 0");
  EXPECT_MENTIONS(error({{.user = "1", .clicked = {"S1"}}}), "1 clicks among 1");
  EXPECT_MENTIONS(error({{.user = "1", .clicked = {"X1"}, .skipped = {"X2"}}}), "none of the 2");
}

Ids ids_of(const Recommendations& result) {
  Ids ids;
  for (const auto& item : result.items) ids.push_back(item.id);
  return ids;
}

TEST_F(RecommenderFacade, ManyUsersGetWhatEachWouldGetAlone) {
  std::vector<UserRequest> requests;
  for (int i = 0; i < 300; ++i) {
    requests.push_back({std::to_string(i), {id_of(i % 2 == 0, i), id_of(i % 3 == 0, i + 3)}});
  }
  for (const bool explain : {false, true}) {
    const auto results =
        recommender_->recommend(*catalogue_, requests, {.top = 4, .explain = explain});
    ASSERT_EQ(results.size(), requests.size());
    for (std::size_t i = 0; i < requests.size(); i += 7) {
      const auto alone = recommender_->recommend(*catalogue_, requests[i].history, 4);
      EXPECT_EQ(ids_of(results[i]), ids_of(alone));
      EXPECT_FALSE(results[i].cold);
      for (std::size_t k = 0; k < alone.items.size(); ++k) {
        const auto& item = results[i].items.at(k);
        EXPECT_NEAR(item.score, alone.items[k].score, 1e-5);
        EXPECT_EQ(item.title, alone.items[k].title);
        EXPECT_EQ(item.reasons.size(), explain ? 2U : 0U);
      }
    }
  }
}

TEST_F(RecommenderFacade, CandidatesAreRankedEachOnce) {
  const std::vector<UserRequest> requests = {{"U", {"S1", "X"}, Ids{"M2", "S1", "S3", "S3", "Y"}},
                                             {"V", {"S1"}, Ids{}}};
  const auto results = recommender_->recommend(*catalogue_, requests);
  EXPECT_EQ(results[0].unknown, Ids{"X"});
  EXPECT_EQ(results[0].unknown_candidates, Ids{"Y"});
  ASSERT_EQ(results[0].items.size(), 3U);
  EXPECT_EQ(results[0].items.back().id, "M2");
  EXPECT_TRUE(results[1].items.empty());
  const auto fresh = recommender_->recommend(*catalogue_, requests, {.exclude_seen = true});
  EXPECT_EQ(ids_of(fresh[0]), (Ids{"S3", "M2"}));
}

TEST_F(RecommenderFacade, DiversityBringsOtherTopics) {
  const std::vector<UserRequest> requests = {{"U", {"S1", "S2"}}};
  const auto others = [](const Recommendations& result) {
    const auto ids = ids_of(result);
    return std::ranges::count_if(ids, [](const auto& id) { return id.front() == 'M'; });
  };
  const auto plain = recommender_->recommend(*catalogue_, requests, {.top = 4})[0];
  const auto diverse =
      recommender_->recommend(*catalogue_, requests, {.top = 4, .diversity = 0.9})[0];
  EXPECT_EQ(others(plain), 0);
  EXPECT_GT(others(diverse), 0);
  EXPECT_EQ(ids_of(diverse).front(), ids_of(plain).front());
  EXPECT_EQ(diverse.items.front().score, plain.items.front().score);
  EXPECT_EQ(ids_of(recommender_->recommend(*catalogue_, requests[0].history, 4, 0.9)),
            ids_of(diverse));
  EXPECT_MENTIONS(testing::error_of(
                      [&] { recommender_->recommend(*catalogue_, requests, {.diversity = 1.5}); }),
                  "diversity", "from 0 to 1");
}

TEST_F(RecommenderFacade, SeenItemsComeOnlyIfAskedFor) {
  const std::vector<UserRequest> requests = {{"U", {"S1", "S2"}}};
  const auto all = static_cast<std::size_t>(catalogue_->size());
  EXPECT_EQ(recommender_->recommend(*catalogue_, requests, {.top = 99})[0].items.size(), all - 2);
  EXPECT_EQ(recommender_->recommend(*catalogue_, requests, {.top = 99, .exclude_seen = false})[0]
                .items.size(),
            all);
}

TEST_F(RecommenderFacade, ColdUsersGetNoItemsAndZeros) {
  const std::vector<UserRequest> requests = {{"A", {}}, {"B", {"S1"}}, {"C", {"X"}, Ids{"S1"}}};
  const auto results = recommender_->recommend(*catalogue_, requests, {.top = 2});
  EXPECT_TRUE(results[0].cold && results[0].items.empty());
  EXPECT_TRUE(!results[1].cold && results[1].items.size() == 2);
  EXPECT_TRUE(results[2].cold && results[2].items.empty());
  EXPECT_EQ(results[2].unknown, Ids{"X"});
  EXPECT_TRUE(recommender_->recommend(*catalogue_, std::vector<UserRequest>{}).empty());
  const std::vector<Ids> histories = {{}, {"S1"}};
  const auto vectors = recommender_->embed_users(*catalogue_, histories);
  EXPECT_EQ(product(vectors.row(0), vectors.row(0)), 0);
  EXPECT_GT(product(vectors.row(1), vectors.row(1)), 0);
}

// Of so few items all are near, so that the results are those of the exact search.
TEST_F(RecommenderFacade, ApproximateSearchFindsTheSameAmongFewItems) {
  const auto near = recommender_->catalogue(two_topics(), {.approximate = true});
  const std::vector<UserRequest> users = {
      {.user = "1", .history = {id_of(true, 1), id_of(true, 4)}},
      {.user = "2", .history = {id_of(false, 2)}},
      {.user = "3", .history = {id_of(true, 1)}, .candidates = {{id_of(false, 0), id_of(true, 2)}}},
      {.user = "4", .history = {}}};
  for (const RecommendOptions& options :
       {RecommendOptions{.top = 2},
        {.top = 3, .exclude_seen = false, .explain = true},
        {.top = 1, .diversity = 0.5},
        {.top = std::numeric_limits<std::size_t>::max()},
        {.top = std::numeric_limits<std::size_t>::max(), .diversity = 0.1}}) {
    const auto expected = recommender_->recommend(*catalogue_, users, options);
    const auto found = recommender_->recommend(near, users, options);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t u = 0; u < users.size(); ++u) {
      EXPECT_EQ(found[u].cold, expected[u].cold);
      ASSERT_EQ(found[u].items.size(), expected[u].items.size()) << users[u].user;
      for (std::size_t i = 0; i < found[u].items.size(); ++i) {
        EXPECT_NEAR(found[u].items[i].score, expected[u].items[i].score, 1e-5);
      }
    }
  }
}

}  // namespace
}  // namespace fastformer::recommendation
