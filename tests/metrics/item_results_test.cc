#include "fastformer/metrics/item_results.h"

#include <gtest/gtest.h>

#include "fastformer/base/atomic_file.h"
#include "support/temporary_folder.h"

namespace fastformer::metrics {
namespace {

ItemScores three_items() {
  ItemScores items{.metrics = {"auc", "mrr"}};
  items.add(0x3f2a90c4d1e8b755, {0.75, 0.5});
  items.add(0, {1.0 / 3, 1});
  items.add(0xffffffffffffffff, {1e-300, 0});
  return items;
}

TEST(ItemScores, AreReadAsTheyWereWritten) {
  const testing::TemporaryFolder folder;
  const auto items = three_items();
  write_item_scores(folder / kItemScoresFile, items);
  const auto content = base::read_file(folder / kItemScoresFile);
  EXPECT_TRUE(content.starts_with("item,auc,mrr\n3f2a90c4d1e8b755,0.75,0.5\n0000000000000000,"))
      << content;
  const auto read = read_item_scores(folder / kItemScoresFile);
  EXPECT_EQ(read.metrics, items.metrics);
  EXPECT_EQ(read.items, items.items);
  EXPECT_EQ(read.scores, items.scores);
  EXPECT_EQ(read.column(1), (std::vector<double>{0.5, 1, 0}));
}

TEST(ItemScores, NeedAScoreForEachMetric) {
  ItemScores items{.metrics = {"auc", "mrr"}};
  EXPECT_MENTIONS(testing::error_of([&] { items.add(1, {0.5}); }), "1 scores", "2 metrics");
}

TEST(ItemScores, WhatIsDamagedIsNamedWithItsLine) {
  const testing::TemporaryFolder folder;
  const auto error_of = [&](const std::string& content) {
    const auto path = folder.write("test_items.csv", content);
    return testing::error_of([&] { read_item_scores(path); });
  };
  for (const auto* header : {"", "\n", "item\n", "label,predicted\n0,0\n"}) {
    EXPECT_MENTIONS(error_of(header), "test_items.csv:1: ", "item,auc,mrr", "run it again");
  }
  EXPECT_MENTIONS(error_of("item,auc,mrr\n"), "test_items.csv: contains no items", "run it again");
  const std::string good = "item,auc,mrr\n3f2a90c4d1e8b755,0.75,0.5\n";
  EXPECT_EQ(error_of(good), "");
  for (const auto* row :
       {"\n", "3f2a90c4d1e8b755\n", "3f2a90c4d1e8b755,0.75\n", "3f2a90c4d1e8b755,0.75,0.5,1\n",
        "3f2a90c4d1e8b755,0.75,x\n", "3f2a90c4d1e8b755,0.75,nan\n", "3f2a90c4d1e8b755,0.75,0.5 \n",
        "3f2a90c4d1e8b75,0.75,0.5\n", "3f2a90c4d1e8b75g,0.75,0.5\n"}) {
    EXPECT_MENTIONS(error_of(good + row), "test_items.csv:3: ", "2 numbers", "run it again");
  }
  EXPECT_MENTIONS(testing::error_of([&] { read_item_scores(folder / "none.csv"); }), "none.csv");
}

}  // namespace
}  // namespace fastformer::metrics
