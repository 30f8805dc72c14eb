#include "fastformer/recommendation/recommender_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/random.h"
#include "fastformer/recommendation/click_sampler.h"
#include "fastformer/recommendation/evaluation.h"
#include "support/temporary_folder.h"

namespace fastformer::recommendation {
namespace {

base::ConfigTree tree(const std::vector<std::string>& assignments) {
  base::ConfigTree result;
  for (const auto& assignment : assignments) result.set(assignment);
  return result;
}

ModelConfig small(const std::string& model) {
  return ModelConfig::read(
      tree({"model.model=" + model, "model.width=16", "model.heads=4", "model.users.heads=4",
            "model.query_width=8", "model.matched_words=4", "model.matched_items=3",
            "model.filters=6", "model.embedding_dropout=0", "model.dropout=0",
            "model.users.dropout=0", "model.initial_deviation=0.25"}));
}

// Item n > 0 has three words of its topic, n modulo 4; a user clicks one topic only.
constexpr std::int32_t kItemCount = 41, kTopics = 4, kWordsOfATopic = 5;

TitleTokens topic_titles() {
  TitleTokens titles;
  base::Random random(1);
  for (std::int32_t n = 0; n < kItemCount; ++n) {
    for (int i = 0; n > 0 && i < 3; ++i) {
      titles.ids.push_back((n % kTopics) * kWordsOfATopic +
                           static_cast<std::int32_t>(random.below(kWordsOfATopic)));
    }
    titles.offsets.push_back(static_cast<std::int64_t>(titles.ids.size()));
  }
  return titles;
}

ImpressionLog topic_log(std::uint64_t seed, int impressions) {
  base::Random random(seed);
  const auto draw = [&](std::int32_t topic) {
    return 1 + static_cast<std::int32_t>(random.below(10)) * kTopics + (topic + 3) % kTopics;
  };
  ImpressionLog log;
  for (int i = 0; i < impressions; ++i) {
    const auto topic = static_cast<std::int32_t>(random.below(kTopics));
    const std::vector<std::int32_t> history = {draw(topic), draw(topic), draw(topic)};
    std::vector<Candidate> candidates;
    const auto clicked = static_cast<std::int32_t>(random.below(kTopics));
    for (std::int32_t c = 0; c < kTopics; ++c) {
      const auto other = (topic + kTopics + c - clicked) % kTopics;
      candidates.emplace_back(draw(other), c == clicked);
    }
    const auto range = log.add_history(history);
    log.add({.id = std::to_string(i), .history = {}, .candidates = candidates}, range);
  }
  return log;
}

class RecommenderModels : public ::testing::TestWithParam<const char*> {};

TEST_P(RecommenderModels, AUserWithoutClicksGetsEqualScoresAndNoTitleIsNoError) {
  const auto titles = topic_titles();
  const RecommenderModel model(small(GetParam()), kTopics * kWordsOfATopic, 3);
  ItemBatchBuilder builder(titles);
  builder.add({}, std::vector<std::int32_t>{1, 2, 0});
  builder.add(std::vector<std::int32_t>{0, 0}, std::vector<std::int32_t>{1, 2, 0});
  const auto batch = builder.take();
  const auto scores = model.scores(batch, /*training=*/false);
  ASSERT_EQ(scores.sizes(), at::IntArrayRef({6}));
  EXPECT_TRUE(scores.isfinite().all().item<bool>());
  EXPECT_EQ((scores.slice(0, 0, 3) - scores[0]).abs().max().item<float>(), 0);
  const auto items = model.encode_items(batch.token_ids, nn::Offsets(batch.token_offsets));
  EXPECT_EQ(items[2].abs().max().item<float>(), 0);
  model.loss(batch, true).backward();
}

TEST_P(RecommenderModels, AUsersScoresDoNotDependOnTheBatch) {
  const auto titles = topic_titles();
  auto log = topic_log(5, 300);  // more than are scored together
  const auto shown = std::vector(log[1].candidates.begin(), log[1].candidates.end());
  const auto first = log.history_of(0);
  log.add({.id = "with the first's history", .history = {}, .candidates = shown}, first);
  log.add({.id = "with a part of it", .history = {}, .candidates = shown},
          {.first = first.first, .count = first.count - 1});
  const RecommenderModel model(small(GetParam()), kTopics * kWordsOfATopic, 3, at::kDouble);
  std::vector<double> all;
  score_impressions(model, titles, log, [&](const Impression&, std::span<const double> scores) {
    all.insert(all.end(), scores.begin(), scores.end());
  });
  ASSERT_EQ(all.size(), 4u * 302);
  for (std::int64_t i = 0; i < log.size(); ++i) {
    ItemBatchBuilder builder(titles);
    for (const auto& candidate : log[i].candidates) {
      const std::vector<std::int32_t> one = {candidate.item()};
      builder.add(log[i].history, one);
    }
    const auto alone = model.scores(builder.take(), /*training=*/false);
    for (std::int64_t c = 0; c < 4; ++c)
      EXPECT_NEAR(alone[c].item<double>(), all[4 * i + c], 1e-12);
  }
}

TEST_P(RecommenderModels, ATouchedRowIsOneWithAGradient) {
  const auto titles = topic_titles();
  const RecommenderModel model(small(GetParam()), kTopics * kWordsOfATopic, 3);
  ItemBatchBuilder builder(titles);
  builder.add(std::vector<std::int32_t>{1, 5}, std::vector<std::int32_t>{9, 13});
  const auto batch = builder.take();
  model.loss(batch, true).backward();
  EXPECT_EQ(model.row_sparse_parameters(), (std::set<std::string>{"embedding.token.weight"}));
  const auto touched = model.touched_rows(batch);
  ASSERT_EQ(touched.size(), 1u);
  const auto gradient = model.parameters().at("embedding.token.weight").grad().coalesce();
  EXPECT_TRUE(at::equal(gradient.indices()[0], touched[0].second));
}

class RecommenderLearningSlow : public ::testing::TestWithParam<const char*> {};

TEST_P(RecommenderLearningSlow, LearnsWhatUsersLike) {
  const auto titles = topic_titles();
  const auto train = topic_log(1, 120), test = topic_log(2, 60);
  const RecommenderModel model(small(GetParam()), kTopics * kWordsOfATopic, 3);
  const auto before = evaluate(model, titles, test);
  ClickSampler sampler(train, titles, {.batch_size = 20, .negatives = 3, .seed = 1});
  for (int epoch = 0; epoch < 8; ++epoch) {
    sampler.begin_epoch(epoch);
    for (std::int64_t i = 0; i < sampler.batches(); ++i) {
      model.loss(sampler.batch(i), /*training=*/true).backward();
      const c10::NoGradGuard no_gradients;
      for (const auto& [name, weight] : model.parameters()) {
        auto gradient = weight.grad();
        if (!gradient.defined()) continue;
        if (gradient.is_sparse()) gradient = gradient.to_dense();
        // A step of equal size for every tensor, without an optimizer.
        weight.sub_(gradient / (gradient.norm() + 1e-3), 0.1);
        weight.mutable_grad() = at::Tensor();
      }
    }
  }
  const auto after = evaluate(model, titles, test);
  EXPECT_LT(after.loss, 0.5 * before.loss) << evaluation_table(after);
  EXPECT_GT(metrics::score_of(after.ranking.mean(), "auc"), 0.95) << evaluation_table(after);
}

INSTANTIATE_TEST_SUITE_P(All, RecommenderLearningSlow,
                         ::testing::Values("fastformer", "fim", "nrms"));
INSTANTIATE_TEST_SUITE_P(All, RecommenderModels, ::testing::Values("fastformer", "fim", "nrms"));

TEST(RecommenderModelConfig, AModelsNameIsAPreset) {
  const auto nrms = ModelConfig::read(tree({"model.model=nrms", "model.users.layers=2"}));
  EXPECT_EQ(nrms.encoder.mixer.name(), "softmax");
  EXPECT_EQ(nrms.encoder.ffn_width, 0);
  EXPECT_EQ(nrms.user_encoder().layers, 2);
  EXPECT_EQ(nrms.encoder.layers, 1);
  const auto other = ModelConfig::read(tree({"model.users.mixer=linear", "model.width=32"}));
  EXPECT_EQ(other.encoder.mixer.name(), "additive");
  EXPECT_EQ(other.user_encoder().mixer.name(), "linear");
  EXPECT_EQ(other.user_encoder().width, 32);
}

TEST(RecommenderModelConfig, PositionsAndMatchedWordsLimitTitles) {
  auto config = model_preset(ModelKind::kFim);
  EXPECT_EQ(config.title_limit(48), 20);
  config = model_preset(ModelKind::kNrms);
  EXPECT_EQ(config.title_limit(48), 48);
  config.max_positions = 30;
  EXPECT_EQ(config.title_limit(48), 30);
  EXPECT_EQ(config.title_limit(10), 10);
}

TEST(RecommenderModelConfig, RefusesWhatDoesNotFit) {
  const auto error = [](const std::vector<std::string>& assignments) {
    return testing::error_of([&] { ModelConfig::read(tree(assignments)); });
  };
  EXPECT_MENTIONS(error({"model.model=nrmss"}), "nrms");
  EXPECT_MENTIONS(error({"model.users.width=3"}), "'width'", "[model.users]");
  EXPECT_MENTIONS(error({"model.users.heads=7"}), "model.users.heads = 7");
  EXPECT_MENTIONS(error({"model.heads=7"}), "model.heads = 7");
}

TEST(RecommenderEvaluation, RefusesWhatCannotBeMeasured) {
  const auto titles = topic_titles();
  const RecommenderModel model(small("nrms"), kTopics * kWordsOfATopic, 3);
  ImpressionLog log;
  const std::vector<Candidate> clicked = {{1, true}};
  log.add({.id = "1", .history = {}, .candidates = clicked}, {});
  EXPECT_MENTIONS(testing::error_of([&] { evaluate(model, titles, log); }), "none of the 1");
  log.set_labelled(false);
  EXPECT_MENTIONS(testing::error_of([&] { evaluate(model, titles, log); }), "prediction file");
  ImpressionLog foreign;
  const std::vector<Candidate> beyond = {{kItemCount, true}, {1, false}};
  foreign.add({.id = "1", .history = {}, .candidates = beyond}, {});
  EXPECT_MENTIONS(testing::error_of([&] { evaluate(model, titles, foreign); }), "number 41",
                  "41 titles");
}

TEST(RecommenderEvaluation, LossIsThatOfEachClickAgainstTheUnclicked) {
  const auto titles = topic_titles();
  const RecommenderModel model(small("nrms"), kTopics * kWordsOfATopic, 3, at::kDouble);
  ImpressionLog log;
  const std::vector<std::int32_t> history = {1, 2, 7};
  const std::vector<Candidate> shown = {{3, true}, {4, false}, {9, true}, {6, false}};
  log.add({.id = "1", .history = {}, .candidates = shown}, log.add_history(history));
  ItemBatchBuilder builder(titles);
  builder.add(history, std::vector<std::int32_t>{3, 4, 6});
  builder.add(history, std::vector<std::int32_t>{9, 4, 6});
  EXPECT_NEAR(evaluate(model, titles, log).loss, model.loss(builder.take(), false).item<double>(),
              1e-12);
}

TEST(RecommenderEvaluation, WritesRanksForEveryImpression) {
  const auto titles = topic_titles();
  const RecommenderModel model(small("nrms"), kTopics * kWordsOfATopic, 3);
  auto log = topic_log(5, 3);
  log.set_labelled(false);
  const testing::TemporaryFolder folder;
  write_rankings([&](const ScoreUse& use) { score_impressions(model, titles, log, use); },
                 folder / "prediction.txt");
  const auto text = base::read_file(folder / "prediction.txt");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_EQ(text.substr(0, 3), "0 [");
}

TEST(Recommender, LossNeedsEquallyManyCandidates) {
  const auto titles = topic_titles();
  const RecommenderModel model(small("nrms"), kTopics * kWordsOfATopic, 3);
  ItemBatchBuilder builder(titles);
  builder.add({}, std::vector<std::int32_t>{1, 2});
  builder.add({}, std::vector<std::int32_t>{1, 2, 3});
  const auto batch = builder.take();
  EXPECT_THROW(model.loss(batch, false), c10::Error);
  EXPECT_THROW(model.loss(builder.take(), false), c10::Error);
}

TEST(Recommender, DropoutIsForTrainingOnly) {
  const auto titles = topic_titles();
  auto config = small("fastformer");
  config.embedding_dropout = 0.5;
  const RecommenderModel model(config, kTopics * kWordsOfATopic, 3);
  ItemBatchBuilder builder(titles);
  builder.add(std::vector<std::int32_t>{1, 2}, std::vector<std::int32_t>{1, 2});
  const auto batch = builder.take();
  EXPECT_TRUE(at::equal(model.scores(batch, false), model.scores(batch, false)));
  EXPECT_FALSE(at::equal(model.scores(batch, true), model.scores(batch, true)));
}

}  // namespace
}  // namespace fastformer::recommendation
