#include "fastformer/recommendation/click_sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "support/temporary_folder.h"

namespace fastformer::recommendation {
namespace {

// Item n has the tokens n, n, ... (n of them).
TitleTokens titles(std::int32_t count) {
  TitleTokens result;
  for (std::int32_t n = 0; n < count; ++n) {
    result.ids.insert(result.ids.end(), static_cast<std::size_t>(n), n);
    result.offsets.push_back(static_cast<std::int64_t>(result.ids.size()));
  }
  return result;
}

void add(ImpressionLog& log, const std::vector<std::int32_t>& history,
         const std::vector<Candidate>& candidates) {
  const auto range = log.add_history(history);
  log.add({.id = "1", .history = {}, .candidates = candidates}, range);
}

std::vector<std::int32_t> shown(const ItemBatch& batch, std::int64_t user) {
  std::vector<std::int32_t> result;
  for (auto i = batch.candidate_offsets[user]; i < batch.candidate_offsets[user + 1]; ++i) {
    result.push_back(batch.items[batch.candidates[i]]);
  }
  return result;
}

TEST(ItemBatch, ListsEachTitleOnce) {
  const auto table = titles(6);
  ItemBatchBuilder builder(table);
  builder.add(std::vector<std::int32_t>{3, 1, 3}, std::vector<std::int32_t>{1, 2});
  builder.add({}, std::vector<std::int32_t>{3, 0});
  const auto batch = builder.take();
  EXPECT_EQ(batch.items, (std::vector<std::int32_t>{3, 1, 2, 0}));
  EXPECT_EQ(batch.token_ids, (std::vector<std::int32_t>{3, 3, 3, 1, 2, 2}));
  EXPECT_EQ(batch.token_offsets, (std::vector<std::int64_t>{0, 3, 4, 6, 6}));
  EXPECT_EQ(batch.history, (std::vector<std::int64_t>{0, 1, 0}));
  EXPECT_EQ(batch.history_offsets, (std::vector<std::int64_t>{0, 3, 3}));
  EXPECT_EQ(batch.candidates, (std::vector<std::int64_t>{1, 2, 0, 3}));
  EXPECT_EQ(batch.users(), 2);
  EXPECT_EQ(builder.take().users(), 0);  // begins anew
  EXPECT_MENTIONS(testing::error_of([&] { builder.add(std::vector<std::int32_t>{6}, {}); }), "6",
                  "titles");
}

TEST(ClickSampler, GivesEachClickOnceWithItsOwnNegatives) {
  const auto table = titles(30);
  ImpressionLog log;
  add(log, {1, 2}, {{3, true}, {4, false}, {5, false}, {6, true}, {7, false}});
  add(log, {}, {{8, false}, {9, true}, {10, false}, {11, false}, {12, false}});
  add(log, {1}, {{13, true}, {14, true}});                          // nothing against them
  add(log, {1}, {{15, false}, {16, false}});                        // no click
  add(log, {1}, {{0, true}, {17, true}, {0, false}, {18, false}});  // unknown items
  ClickSampler sampler(log, table, {.batch_size = 3, .negatives = 2, .seed = 1});
  EXPECT_EQ(sampler.clicks(), 4);
  EXPECT_EQ(sampler.skipped(), 3);
  ASSERT_EQ(sampler.batches(), 2);
  std::map<std::int32_t, std::set<std::int32_t>> allowed = {
      {3, {4, 5, 7}}, {6, {4, 5, 7}}, {9, {8, 10, 11, 12}}, {17, {18}}};
  std::set<std::int32_t> clicks;
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto batch = sampler.batch(i);
    EXPECT_EQ(batch.users(), i == 0 ? 3 : 1);
    for (std::int64_t user = 0; user < batch.users(); ++user) {
      const auto items = shown(batch, user);
      ASSERT_EQ(items.size(), 3u);
      ASSERT_TRUE(allowed.contains(items[0]));
      EXPECT_TRUE(clicks.insert(items[0]).second);
      for (const int n : {1, 2}) EXPECT_TRUE(allowed[items[0]].contains(items[n]));
      if (items[0] != 17) {
        EXPECT_NE(items[1], items[2]);
      }
    }
  }
  EXPECT_EQ(clicks.size(), 4u);
  EXPECT_THROW(sampler.batch(2), std::out_of_range);
  EXPECT_THROW(sampler.batch(-1), std::out_of_range);
}

TEST(ClickSampler, RepeatsNegativesInWholeRounds) {
  const auto table = titles(5);
  ImpressionLog log;
  add(log, {}, {{1, true}, {2, false}, {3, false}, {4, false}});
  const ClickSampler sampler(log, table, {.negatives = 7});
  std::map<std::int32_t, int> times;
  for (const auto item : shown(sampler.batch(0), 0)) ++times[item];
  EXPECT_EQ(times[1], 1);
  for (const int n : {2, 3, 4}) EXPECT_TRUE(times[n] == 2 || times[n] == 3) << times[n];
}

TEST(ClickSampler, AnEpochIsAFunctionOfSeedAndNumber) {
  const auto table = titles(40);
  ImpressionLog log;
  for (std::int32_t i = 1; i < 30; ++i) {
    add(log, {i}, {{i, true}, {i + 1, false}, {i + 2, false}, {i + 3, false}, {i + 4, false}});
  }
  const auto candidates = [&](std::uint64_t seed, std::int64_t epoch) {
    ClickSampler sampler(log, table, {.batch_size = 64, .negatives = 2, .seed = seed});
    sampler.begin_epoch(epoch + 1);
    sampler.begin_epoch(epoch);
    std::vector<std::vector<std::int32_t>> result;
    const auto batch = sampler.batch(0);
    for (std::int64_t user = 0; user < batch.users(); ++user) result.push_back(shown(batch, user));
    return result;
  };
  EXPECT_EQ(candidates(1, 3), candidates(1, 3));
  EXPECT_NE(candidates(1, 3), candidates(2, 3));
  // Another order, and other negatives to the same click.
  auto one = candidates(1, 3), other = candidates(1, 4);
  EXPECT_NE(one, other);
  std::sort(one.begin(), one.end());
  std::sort(other.begin(), other.end());
  EXPECT_NE(one, other);
}

TEST(ClickSampler, RefusesWhatCannotBeSampled) {
  const auto table = titles(5);
  ImpressionLog log;
  add(log, {}, {{1, true}, {0, false}});
  const auto error = [&](const ClickSamplerOptions& options) {
    return testing::error_of([&] { ClickSampler(log, table, options); });
  };
  EXPECT_MENTIONS(error({}), "none of the 1");
  EXPECT_MENTIONS(error({.batch_size = 0}), "at least 1");
  EXPECT_MENTIONS(error({.negatives = 0}), "at least 1");
}

}  // namespace
}  // namespace fastformer::recommendation
