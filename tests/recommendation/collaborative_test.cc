#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/base/random.h"
#include "fastformer/recommendation/collaborative/click_matrix.h"
#include "fastformer/recommendation/collaborative/click_scores.h"
#include "fastformer/recommendation/collaborative/item_weights.h"
#include "fastformer/recommendation/collaborative/members.h"
#include "fastformer/recommendation/collaborative/pooled_clicks.h"
#include "fastformer/recommendation/collaborative/score_pool.h"
#include "fastformer/recommendation/recommender.h"
#include "fastformer/recommendation/recommender_model.h"
#include "fastformer/recommendation/training.h"
#include "support/temporary_folder.h"

namespace fastformer::recommendation {
namespace {

void add(ImpressionLog& log, std::int32_t user, double time,
         const std::vector<std::int32_t>& history, const std::vector<Candidate>& candidates) {
  const auto range = log.add_history(history);
  log.add({.id = "1", .user = user, .time = time, .candidates = candidates}, range);
}

ClickMatrix three_users() {
  ImpressionLog log;
  add(log, 0, 1, {1, 2}, {{3, true}, {4, false}});
  add(log, 0, 2, {1, 2, 3}, {{2, true}, {1, false}});
  add(log, 1, 3, {3, 0}, {{2, true}, {0, true}, {4, false}});
  add(log, 5, 4, {}, {{3, true}, {1, false}});
  ClickMatrix clicks(6);
  clicks.add(log);
  return clicks;
}

TEST(ClickMatrix, CountsUsersOnce) {
  const auto clicks = three_users();
  EXPECT_EQ(clicks.clicked_items(9), (std::vector<std::int32_t>{1, 2, 3}));
  EXPECT_EQ(clicks.clicked_items(2), (std::vector<std::int32_t>{2, 3}));
  const std::vector<std::int32_t> items = {1, 2, 3};
  const auto expected = at::tensor({1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 1.0, 2.0, 3.0}, at::kDouble);
  EXPECT_TRUE(at::equal(clicks.co_clicks(items), expected.view({3, 3})));
}

TEST(ClickMatrix, CountsTheLatestClicks) {
  const auto clicks = three_users();  // on 3, 2, 2 and 3, in this order
  EXPECT_EQ(clicks.recent_clicks(1), (std::vector<std::int64_t>{0, 0, 2, 2, 0, 0}));
  EXPECT_EQ(clicks.recent_clicks(0.5), (std::vector<std::int64_t>{0, 0, 1, 1, 0, 0}));
  EXPECT_EQ(clicks.recent_clicks(0), (std::vector<std::int64_t>{0, 0, 0, 1, 0, 0}));
}

at::Tensor random_clicks(std::int64_t users, std::int64_t items) {
  base::Random random(3);
  auto clicks = at::zeros({users, items}, at::kDouble);
  for (std::int64_t i = 0; i < users * items / 4; ++i) {
    clicks.view(
        -1)[static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(users * items)))] = 1;
  }
  return clicks;
}

// The conditions of the minimum of |X - X B|^2 + lambda |B|^2 with a zero diagonal: the gradient
// (X^T X + lambda I) B - X^T X is zero wherever B is free.
TEST(ItemWeights, EaseIsTheMinimumOfItsLoss) {
  const auto x = random_clicks(60, 12);
  const auto gram = at::mm(x.t(), x);
  for (const double lambda : {0.5, 20.0}) {
    const auto weights = ease_weights(gram, lambda);
    EXPECT_EQ(weights.diagonal().abs().max().item<double>(), 0);
    auto gradient = at::mm(gram + lambda * at::eye(12, at::kDouble), weights) - gram;
    gradient.fill_diagonal_(0);
    EXPECT_LT(gradient.abs().max().item<double>(), 1e-9);
  }
  EXPECT_THROW(ease_weights(gram, 0), std::invalid_argument);
}

TEST(ItemWeights, NeighboursAreTheMostSimilar) {
  const auto x = random_clicks(60, 12);
  const auto gram = at::mm(x.t(), x);
  const auto all = neighbour_weights(gram, 100), few = neighbour_weights(gram, 3);
  for (std::int64_t j = 0; j < 12; ++j) {
    std::vector<double> similar;
    for (std::int64_t i = 0; i < 12; ++i) {
      const auto a = x.select(1, i), b = x.select(1, j);
      const auto cosine = (a.dot(b) / (a.norm() * b.norm())).item<double>();
      EXPECT_NEAR(all[i][j].item<double>(), i == j ? 0 : cosine, 1e-12);
      if (i != j) similar.push_back(cosine);
    }
    std::sort(similar.rbegin(), similar.rend());
    EXPECT_NEAR(few.select(1, j).sum().item<double>(), similar[0] + similar[1] + similar[2], 1e-12);
    EXPECT_LE((few.select(1, j) != 0).sum().item<std::int64_t>(), 3);
  }
}

PoolScores random_pool(std::size_t systems) {
  base::Random random(5);
  const auto uniform = [&] { return static_cast<double>(random.next() >> 11) / (1ULL << 53); };
  PoolScores pool{.systems = systems};
  for (int i = 0; i < 200; ++i) {
    for (int c = 0; c < 5; ++c) {
      pool.clicked.push_back(c == 0 || (c == 1 && i % 7 == 0) ? 1 : 0);
      for (std::size_t k = 0; k < systems; ++k) {
        pool.scores.push_back(uniform() + (c == 0 ? 0.3 / static_cast<double>(k + 1) : 0));
      }
    }
    pool.offsets.push_back(pool.clicked.size());
  }
  return pool;
}

// -log softmax of each click over it and what was not clicked, written once more, without the
// ridge.
double pool_loss(const PoolScores& pool, const std::vector<double>& weights) {
  double sum = 0, clicks = 0;
  for (std::size_t i = 0; i + 1 < pool.offsets.size(); ++i) {
    std::vector<double> logits;
    for (auto c = pool.offsets[i]; c < pool.offsets[i + 1]; ++c) {
      double logit = 0;
      for (std::size_t k = 0; k < pool.systems; ++k) {
        logit += weights[k] * pool.scores[c * pool.systems + k];
      }
      logits.push_back(logit);
    }
    for (std::size_t c = 0; c < logits.size(); ++c) {
      if (pool.clicked[pool.offsets[i] + c] == 0) continue;
      double total = std::exp(logits[c]);
      for (std::size_t other = 0; other < logits.size(); ++other) {
        if (pool.clicked[pool.offsets[i] + other] == 0) total += std::exp(logits[other]);
      }
      sum += std::log(total) - logits[c];
      ++clicks;
    }
  }
  return sum / clicks;
}

TEST(ScorePool, FindsTheMinimum) {
  const auto pool = random_pool(3);
  const auto [weights, loss] = pool_weights(pool);
  EXPECT_NEAR(loss, pool_loss(pool, weights), 1e-3);
  // Up to the small ridge.
  for (std::size_t k = 0; k < 3; ++k) {
    auto more = weights, less = weights;
    more[k] += 1e-4;
    less[k] -= 1e-4;
    EXPECT_NEAR((pool_loss(pool, more) - pool_loss(pool, less)) / 2e-4, 0, 2e-3);
  }
  EXPECT_GT(weights[0], weights[2]);
  // Units do not matter.
  auto scaled = pool;
  for (std::size_t c = 0; c < scaled.clicked.size(); ++c) scaled.scores[c * 3 + 1] *= 1000;
  const auto again = pool_weights(scaled);
  EXPECT_NEAR(again.weights[1] * 1000, weights[1], 1e-6);
  EXPECT_NEAR(again.loss, loss, 1e-9);
}

TEST(ScorePool, GivesNoNegativeWeights) {
  auto pool = random_pool(3);
  // The second system says the opposite, the third nothing.
  for (std::size_t c = 0; c < pool.clicked.size(); ++c) {
    pool.scores[c * 3 + 1] = 1 - pool.scores[c * 3 + 1];
    pool.scores[c * 3 + 2] = 4;
  }
  const auto [weights, loss] = pool_weights(pool);
  EXPECT_GT(weights[0], 0);
  EXPECT_EQ(weights[1], 0);
  EXPECT_EQ(weights[2], 0);
  EXPECT_LT(loss, std::log(4.0));
  EXPECT_THROW(pool_weights({.systems = 1}), std::invalid_argument);
  pool.scores[7] = NAN;
  EXPECT_MENTIONS(testing::error_of([&] { pool_weights(pool); }), "diverged");
}

ItemTable table_of(const std::vector<std::string>& ids) {
  ItemTable items;
  for (const auto& id : ids) items.add({.id = id, .title = id, .category = ""});
  return items;
}

std::shared_ptr<ClickScores> small_scores() {
  auto clicks = std::make_shared<ClickScores>();
  clicks->ids = {"b", "x", "a"};
  clicks->weights = at::arange(9, at::kFloat).view({3, 3});
  clicks->bias = at::tensor({0.5F, 7.0F, -1.0F});
  clicks->titles_weight = 2;
  clicks->decay = 0.5;
  return clicks;
}

TEST(ClickScores, AddUpInEveryWay) {
  const auto items = table_of({"a", "b", "c"});  // 1, 2 and 3
  const TableClickScores clicks(small_scores(), items);
  EXPECT_EQ(clicks.weight(1, 2), 6);  // row "a", column "b"
  EXPECT_EQ(clicks.weight(2, 1), 2);
  EXPECT_EQ(clicks.weight(3, 1), 0);
  EXPECT_EQ(clicks.bias(2), 0.5);
  EXPECT_EQ(clicks.bias(3), 0);
  const std::vector<std::int32_t> history = {2, 3, 1};  // "b" has age 2
  EXPECT_EQ(clicks.score(10, history, 1), 20 - 1 + 8 + 0.25 * 2);
  EXPECT_EQ(clicks.score(10, history, 3), 20);
  std::vector<float> all = {1, 2, 3, 4};
  clicks.apply(all, history);
  for (std::int32_t item = 0; item < 4; ++item) {
    EXPECT_NEAR(all[static_cast<std::size_t>(item)], clicks.score(item + 1, history, item), 1e-6);
  }
  ImpressionLog log;
  add(log, 0, 0, history, {{1, true}, {3, false}});
  std::vector<double> passed;
  clicks.with_clicks([&](const Impression&, std::span<const double> scores) {
    passed.assign(scores.begin(), scores.end());
  })(log[0], std::vector<double>{10, 10});
  EXPECT_EQ(passed, (std::vector<double>{27.5, 20}));
}

TEST(ClickScores, AreReadAsTheyWereWritten) {
  const testing::TemporaryFolder folder;
  small_scores()->save(folder.path());
  const auto read = ClickScores::load(folder.path());
  EXPECT_EQ(read.ids, small_scores()->ids);
  EXPECT_TRUE(at::equal(read.weights, small_scores()->weights));
  EXPECT_TRUE(at::equal(read.bias, small_scores()->bias));
  EXPECT_EQ(read.titles_weight, 2);
  EXPECT_EQ(read.decay, 0.5);
  const auto error = [&] { return testing::error_of([&] { ClickScores::load(folder.path()); }); };
  for (const auto* ids : {"[\"a\", \"b\"]", "[\"a\", \"a\", \"b\"]"}) {
    folder.write("clicked_items.json", ids);
    EXPECT_MENTIONS(error(), "do not belong together", "train the model again");
  }
  folder.write("clicked_items.json", "{]");
  EXPECT_MENTIONS(error(), "clicked_items.json: is not valid JSON");
  const auto refusal = [&](const std::function<void(ClickScores&)>& change) {
    auto clicks = small_scores();
    change(*clicks);
    clicks->save(folder.path());
    return error();
  };
  EXPECT_EQ(refusal([](ClickScores&) {}), "");
  EXPECT_MENTIONS(refusal([](ClickScores& clicks) { clicks.bias[0] = INFINITY; }),
                  "clicks.safetensors: bias");
  const std::vector<std::function<void(ClickScores&)>> mistakes = {
      [](ClickScores& clicks) { clicks.decay = 0; },
      [](ClickScores& clicks) { clicks.decay = 1.5; },
      [](ClickScores& clicks) { clicks.titles_weight = -1; },
      [](ClickScores& clicks) { clicks.titles_weight = 1e300; },
      [](ClickScores& clicks) { clicks.bias = at::zeros({2}); },
      [](ClickScores& clicks) { clicks.weights = clicks.weights.to(at::kDouble); }};
  for (const auto& mistake : mistakes) {
    EXPECT_MENTIONS(refusal(mistake), "do not belong together", "train the model again");
  }
  std::filesystem::remove(folder / "clicked_items.json");
  EXPECT_MENTIONS(error(), "clicked_items.json");
}

using Ids = std::vector<std::string>;

// Titles say nothing, but users of even numbers click items of even numbers.
std::vector<Item> numbered_items() {
  std::vector<Item> items;
  for (int i = 0; i < 20; ++i) items.push_back({base::format("i%d", i), "an item", ""});
  return items;
}

std::vector<ImpressionExample> numbered_clicks() {
  std::vector<ImpressionExample> examples;
  for (int user = 0; user < 120; ++user) {
    const auto id = [&](int k) { return base::format("i%d", (2 * (k % 10) + user % 2) % 20); };
    const auto other = [&](int k) {
      return base::format("i%d", (2 * (k % 10) + 1 - user % 2) % 20);
    };
    examples.push_back({.user = std::to_string(user),
                        .time = static_cast<double>(user),
                        .history = {id(user / 2), id(user / 2 + 3)},
                        .clicked = {id(user / 2 + 5)},
                        .skipped = {other(user), other(user + 4), other(user + 7)}});
  }
  return examples;
}

Recipe hybrid_recipe() {
  Recipe recipe;
  recipe.model = model_preset(ModelKind::kNrms);
  recipe.model.encoder.width = 8;
  recipe.model.encoder.heads = recipe.model.users.encoder.heads = 2;
  recipe.model.query_width = 8;
  recipe.model.items.members = click_member_names();
  recipe.data.validation_fraction = 0.2;
  recipe.text.minimum_count = 1;
  recipe.batch_size = 8;
  recipe.train.epochs = 1;
  recipe.train.threads = 1;
  return recipe;
}

ItemTable items_of(const std::vector<Item>& items) {
  ItemTable table;
  for (const auto& item : items) table.add(item);
  return table;
}

TEST(HybridRecommender, KnowsItemsByTheirClicks) {
  const auto recommender = train(numbered_items(), numbered_clicks(), hybrid_recipe());
  const auto catalogue = recommender.catalogue(numbered_items());
  const auto result = recommender.recommend(catalogue, Ids{"i3", "i7"}, 5);
  ASSERT_EQ(result.items.size(), 5u);
  for (const auto& item : result.items) {
    EXPECT_EQ((item.id.back() - '0') % 2, 1) << item.id;
    double added = 0;
    for (const auto& reason : item.reasons) added += reason.added;
    EXPECT_GT(added, 0) << item.id;
  }
  // One user and many users, with and without named candidates, have equal scores.
  const std::vector<UserRequest> users = {
      {"u", {"i3", "i7"}}, {"v", {"i3", "i7"}, Ids{result.items[1].id, "i2"}}, {"cold", {}}};
  const auto many = recommender.recommend(catalogue, users, {.top = 5});
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(many[0].items[i].id, result.items[i].id);
    EXPECT_NEAR(many[0].items[i].score, result.items[i].score, 1e-5);
  }
  EXPECT_NEAR(many[1].items.front().score, result.items[1].score, 1e-5);
  EXPECT_EQ(many[1].items.front().id, result.items[1].id);
  // Among so few items, the approximate search finds all of the best, by titles and clicks.
  const auto near = recommender.catalogue(numbered_items(), {.approximate = true});
  const auto found = recommender.recommend(near, users, {.top = 2});
  for (std::size_t u = 0; u < users.size(); ++u) {
    EXPECT_EQ(found[u].cold, many[u].cold);
    ASSERT_EQ(found[u].items.size(), std::min<std::size_t>(2, many[u].items.size()));
    for (std::size_t i = 0; i < found[u].items.size(); ++i) {
      EXPECT_NEAR(found[u].items[i].score, many[u].items[i].score, 1e-5);
    }
  }
}

TEST(HybridRecommender, GivesColdUsersThePopularItems) {
  auto examples = numbered_clicks();
  for (std::size_t i = 0; i < examples.size(); ++i) {
    examples[i].history.clear();
    examples[i].clicked = {i % 3 == 0 ? "i2" : "i4"};
    examples[i].skipped = {"i5", "i6", "i7"};
  }
  auto recipe = hybrid_recipe();
  recipe.model.items.members = {"popularity"};
  const auto recommender = train(numbered_items(), examples, recipe);
  const auto catalogue = recommender.catalogue(numbered_items());
  const auto alone = recommender.recommend(catalogue, Ids{}, 3);
  const std::vector<UserRequest> users = {{"cold", {}}};
  const auto many = recommender.recommend(catalogue, users, {.top = 3});
  for (const auto& result : {alone, many[0]}) {
    EXPECT_TRUE(result.cold);
    ASSERT_EQ(result.items.size(), 3u);
    EXPECT_EQ(result.items[0].id, "i4");
    EXPECT_EQ(result.items[1].id, "i2");
    EXPECT_GT(result.items[1].score, result.items[2].score);
  }
}

TEST(HybridRecommender, GivesColdUsersNothingWithoutPopularity) {
  auto recipe = hybrid_recipe();
  recipe.model.items.members = {"ease"};
  const auto recommender = train(numbered_items(), numbered_clicks(), recipe);
  const auto catalogue = recommender.catalogue(numbered_items());
  const std::vector<UserRequest> users = {{"cold", {}}, {"warm", {"i3"}}};
  const auto results = recommender.recommend(catalogue, users, {.top = 3});
  EXPECT_TRUE(results[0].items.empty());
  EXPECT_EQ(results[1].items.size(), 3u);
}

TEST(HybridRecommender, ReasonsAreSumsOverTheClicks) {
  const auto recommender = train(numbered_items(), numbered_clicks(), hybrid_recipe());
  const auto catalogue = recommender.catalogue(numbered_items());
  const auto items = items_of(numbered_items());
  const TableClickScores clicks(recommender.content().clicks, items);
  const Ids history = {"i3", "i7"};
  const auto users = recommender.embed_users(catalogue, std::vector<Ids>{history, {"i7"}, {"i3"}});
  const auto vector = recommender.embed(Ids{"an item"});  // all titles are equal
  const auto titles = [&](std::size_t user) {
    double sum = 0;
    for (std::size_t k = 0; k < vector.row(0).size(); ++k) {
      sum += double{users.row(user)[k]} * double{vector.row(0)[k]};
    }
    return sum;
  };
  for (const auto& item : recommender.recommend(catalogue, history, 4).items) {
    for (std::size_t c = 0; c < 2; ++c) {
      const double age = 1 - static_cast<double>(c);
      EXPECT_NEAR(item.reasons[c].added,
                  clicks.titles_weight() * (titles(0) - titles(1 + c)) +
                      std::pow(clicks.decay(), age) *
                          clicks.weight(items.find(history[c]), items.find(item.id)),
                  1e-5);
    }
  }
}

TEST(ClickMemberFit, FitsEachPartToWhatItMaySee) {
  Dataset dataset;
  for (const auto& item : numbered_items()) dataset.items.add(item);
  add(dataset.parts.train, 0, 1, {1, 2}, {{3, true}, {4, false}});
  add(dataset.parts.train, 1, 2, {1}, {{2, true}, {5, false}});
  add(dataset.parts.validation, 0, 3, {1, 2}, {{6, true}, {4, false}});
  add(dataset.parts.test, 0, 4, {1, 2}, {{7, true}, {4, false}});
  const ClickMemberFit fit(dataset, 10, /*tune=*/true);
  EXPECT_EQ(fit.on_train().items, (std::vector<std::int32_t>{1, 2, 3}));
  EXPECT_EQ(fit.on_all().items, (std::vector<std::int32_t>{1, 2, 3, 6}));
  const ClickMemberFit plain(dataset, 2, /*tune=*/false);
  EXPECT_EQ(plain.on_all().items, (std::vector<std::int32_t>{1, 2}));
  EXPECT_EQ(plain.on_all().members[2].setting, "lambda 300");
  dataset.parts.validation = dataset.parts.train.sibling();
  EXPECT_MENTIONS(testing::error_of([&] { ClickMemberFit(dataset, 10, true); }), "validation part");
}

// The last click alone decides, so that older ones should not count.
TEST(PooledClicks, LetOldClicksDecay) {
  Dataset dataset;
  for (const auto& item : numbered_items()) dataset.items.add(item);
  const auto fill = [&](ImpressionLog& log, int first) {
    for (int i = 0; i < 200; ++i) {
      const auto last = static_cast<std::int32_t>(1 + (first + i) % 10);
      const auto older = static_cast<std::int32_t>(1 + (first + 3 * i) % 10);
      add(log, first + i, i, {older, older, last},
          {{static_cast<std::int32_t>(last + 10), true},
           {static_cast<std::int32_t>(older + 10 == last + 10 ? 11 + last % 10 : older + 10),
            false}});
    }
  };
  fill(dataset.parts.train, 0);
  fill(dataset.parts.validation, 1000);
  const ClickMemberFit fit(dataset, 20, true);
  const auto no_titles = [&](const ScoreUse& use) {
    for (std::int64_t i = 0; i < dataset.parts.validation.size(); ++i) {
      use(dataset.parts.validation[i], std::vector<double>{0, 0});
    }
  };
  const auto clicks = pooled_clicks(fit, {"item_knn"}, dataset, no_titles);
  EXPECT_LT(clicks.decay, 1);
  EXPECT_EQ(clicks.titles_weight, 0);
  EXPECT_GT(clicks.weights.abs().max().item<double>(), 0);
  EXPECT_EQ(clicks.bias.abs().max().item<double>(), 0);
  const auto popular = pooled_clicks(fit, {"popularity"}, dataset, no_titles);
  EXPECT_EQ(popular.weights.abs().max().item<double>(), 0);
}

TEST(HybridRecommender, IsReadAsItWasWritten) {
  const testing::TemporaryFolder folder;
  const auto recommender = train(numbered_items(), numbered_clicks(), hybrid_recipe());
  const auto& content = recommender.content();
  save_recommender(folder / "model", content.data_config, *content.tokenizer, *content.model,
                   content.clicks.get(), "");
  const auto loaded = RecommenderContent::load(folder / "model");
  ASSERT_NE(loaded.clicks, nullptr);
  EXPECT_EQ(loaded.clicks->ids.size(), 20u);
  EXPECT_TRUE(at::equal(loaded.clicks->weights, content.clicks->weights));
  EXPECT_EQ(loaded.model->config().items.members, click_member_names());
}

TEST(HybridRecommender, NeedsAValidationPart) {
  const auto error = testing::error_of([] {
    Recipe::read(base::ConfigTree::from_assignments(
        {"data.train=[\"a\"]", "model.items.members=[\"ease\"]"}, {"data", "model"}));
  });
  EXPECT_MENTIONS(error, "model.items.members", "validation");
  EXPECT_MENTIONS(testing::error_of([] {
                    auto recipe = hybrid_recipe();
                    recipe.data.validation_fraction = 0;
                    train(numbered_items(), numbered_clicks(), recipe);
                  }),
                  "model.items.members needs a validation part");
  EXPECT_MENTIONS(
      testing::error_of([] {
        Recipe::read(base::ConfigTree::from_assignments(
            {"data.validation=[\"a\"]", "data.test=[\"a\"]", "model.items.members=[\"ease\"]"},
            {"data", "model"}));
      }),
      "a: is in data.validation and data.test");
  EXPECT_MENTIONS(testing::error_of([] {
                    Recipe::read(base::ConfigTree::from_assignments(
                        {"model.items.members=[\"ease\", \"ease\"]"}, {"model"}));
                  }),
                  "lists ease twice");
  EXPECT_MENTIONS(testing::error_of([] {
                    Recipe::read(base::ConfigTree::from_assignments(
                        {"model.items.members=[\"easy\"]"}, {"model"}));
                  }),
                  "ease");
}

}  // namespace
}  // namespace fastformer::recommendation
