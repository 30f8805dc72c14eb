#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "fastformer/recommendation/data_config.h"
#include "fastformer/recommendation/readers/formats.h"
#include "support/temporary_folder.h"

namespace fastformer::recommendation {
namespace {

namespace fs = std::filesystem;

const std::string kItems =
    "item_id:token\ttitle:token_seq\tclass:token_seq\n"
    "a\tToy Story\tfun\nb\tGolden Eye\tspies\nc\tHeat\tspies\nd\tBabe\tfun\ne\tFargo\tfun\n";
const std::string kHeading = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n";

class RecboleClicksTest : public ::testing::Test {
 protected:
  RecboleClicksTest() {
    folder_.write("x.item", kItems);
    config_.format = "recbole";
    config_.train = {folder_.path().string()};
    config_.sampled_negatives = 2;
  }
  ClickSource read(const std::string& rows) {
    folder_.write("x.inter", kHeading + rows);
    return read_clicks(config_);
  }
  std::string error(const std::string& rows) {
    return testing::error_of([&] { read(rows); });
  }
  testing::TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(RecboleClicksTest, ALabelOfZeroIsNoClickAndTimesMayBeDates) {
  const std::string heading = "user_id:token\titem_id:token\tlabel:float\ttimestamp:token\n";
  folder_.write("x.inter", heading +
                               "u\ta\t1\t2020-01-02T00:00:00Z\nu\tb\t0\t2020-01-03\n"
                               "u\tc\t1\t2020-01-01\n");
  const auto& log = read_clicks(config_).parts.train;
  ASSERT_EQ(log.size(), 2);
  ASSERT_EQ(log[1].history.size(), 1u);
  EXPECT_EQ(log[1].history[0], 3);  // c came before a
}

TEST_F(RecboleClicksTest, WithoutTimesTheOrderOfTheFileCounts) {
  folder_.write("x.inter", "user_id:token\titem_id:token\nu\tb\nu\ta\n");
  const auto source = read_clicks(config_);
  ASSERT_EQ(source.parts.train.size(), 2);
  EXPECT_EQ(source.parts.train[1].history[0], 2);
  ASSERT_EQ(source.notices.size(), 1u);
  EXPECT_MENTIONS(source.notices[0], "x.inter", "timestamp");
  folder_.write("x.inter", "user_id:token,item_id:token\nu,b\n");
  EXPECT_MENTIONS(testing::error_of([&] { read_clicks(config_); }), "x.inter:1", "commas", "tabs");
}

TEST_F(RecboleClicksTest, AClickStandsAmongItemsThatTheUserNeverMet) {
  config_.category_column = "class";
  const auto source = read("u\tb\t5\t20\nu\ta\t4\t10\nu\tc\t3\t15\nv\ta\t5\t1\n");
  EXPECT_EQ(source.items.title(1), "Toy Story");
  EXPECT_EQ(source.items.categories()[1], "spies");
  const auto& log = source.parts.train;
  ASSERT_EQ(log.size(), 3);
  // By time: a, then b; c is no click, but met.
  EXPECT_TRUE(log[0].history.empty());
  ASSERT_EQ(log[1].history.size(), 1u);
  EXPECT_EQ(log[1].history[0], 1);
  for (int i = 0; i < 2; ++i) {
    std::set<std::int32_t> unclicked;
    for (const auto& candidate : log[i].candidates) {
      if (!candidate.clicked()) unclicked.insert(candidate.item());
    }
    EXPECT_EQ(unclicked, (std::set<std::int32_t>{4, 5}));
    EXPECT_EQ(log[i].candidates.size(), 3u);
  }
  EXPECT_EQ(log.counts().clicks, 3);
  EXPECT_EQ(log.counts().users, 2);
}

TEST_F(RecboleClicksTest, ASeedGivesOneDrawWhateverOtherUsersDo) {
  const auto shown = [](const ImpressionLog& log, std::int64_t i) {
    const auto candidates = log[i].candidates;
    return std::vector<Candidate>(candidates.begin(), candidates.end());
  };
  const auto one = read("u\ta\t5\t1\nv\tb\t5\t1\n").parts.train;
  const auto two = read("w\tc\t5\t1\nv\tb\t5\t1\nu\ta\t5\t1\n").parts.train;
  EXPECT_EQ(shown(one, 0), shown(two, 2));
  EXPECT_EQ(shown(one, 1), shown(two, 1));
}

TEST_F(RecboleClicksTest, ALaterPartHasTheEarlierClicksAsHistory) {
  folder_.write("x.inter", kHeading + "u\ta\t5\t1\nu\tb\t5\t2\n");
  config_.train = {(folder_ / "x.inter").string()};
  config_.test = {folder_.write("y.inter", kHeading + "u\tc\t5\t3\n").string()};
  const auto parts = read_clicks(config_).parts;
  ASSERT_EQ(parts.test.size(), 1);
  EXPECT_EQ(parts.test[0].history.size(), 2u);
  config_.history = 1;
  const auto cut = read_clicks(config_).parts;
  ASSERT_EQ(cut.test[0].history.size(), 1u);
  EXPECT_EQ(cut.test[0].history[0], 2);
}

TEST_F(RecboleClicksTest, AnEarlierPartKnowsNoLaterClicks) {
  folder_.write("x.inter", kHeading + "u\ta\t5\t1\nu\tc\t5\t3\n");
  config_.train = {(folder_ / "x.inter").string()};
  config_.validation = {folder_.write("y.inter", kHeading + "u\td\t5\t4\n").string()};
  config_.test = {folder_.write("z.inter", kHeading + "u\tb\t5\t2\nu\ta\t5\t5\n").string()};
  const auto source = read_clicks(config_);
  const auto history = [](const ImpressionLog& log, std::int64_t i) {
    return std::vector<std::int32_t>(log[i].history.begin(), log[i].history.end());
  };
  using Clicks = std::vector<std::int32_t>;  // a is 1, b is 2 ...
  EXPECT_EQ(history(source.parts.train, 0), Clicks{});
  EXPECT_EQ(history(source.parts.train, 1), Clicks{1});
  EXPECT_EQ(history(source.parts.validation, 0), (Clicks{1, 3}));
  EXPECT_EQ(history(source.parts.test, 0), Clicks{1});
  EXPECT_EQ(history(source.parts.test, 1), (Clicks{1, 2, 3, 4}));
  ASSERT_EQ(source.notices.size(), 1u);
  EXPECT_MENTIONS(source.notices[0], "1 of 2 impressions", "test part",
                  "earlier than the last training");
}

TEST_F(RecboleClicksTest, TimesMayBeFractions) {
  config_.test_fraction = 0.5;
  const auto parts = read("u\ta\t5\t0.25\nu\tb\t5\t0.5\nv\tc\t5\t1e20\nv\td\t5\t0.125\n").parts;
  ASSERT_EQ(parts.train.size(), 2);
  EXPECT_EQ(parts.train[0].time, 0.25);
  EXPECT_EQ(parts.train[1].time, 0.125);
  EXPECT_EQ(parts.test[1].time, 1e20);
}

TEST_F(RecboleClicksTest, ItemsAloneCanBeRead) {
  folder_.write("x.inter", kHeading);
  for (const auto& source : {folder_ / "x.item", folder_ / "x.inter", folder_.path()}) {
    ItemTable items;
    read_items(source, config_, items);
    EXPECT_EQ(items.size(), 6);
    EXPECT_EQ(items.title(items.find("c")), "Heat");
  }
}

TEST_F(RecboleClicksTest, UnknownItemsAreCounted) {
  const auto log = read("u\tz\t5\t1\nu\ta\t5\t2\n").parts.train;
  EXPECT_EQ(log.counts().unknown_candidates, 1);
  EXPECT_TRUE(log[1].history.empty());
}

TEST_F(RecboleClicksTest, RefusesWhatIsNoAtomicFile) {
  EXPECT_MENTIONS(error("u\ta\t5\n"), "x.inter:2", "3 columns");
  EXPECT_MENTIONS(error("u\ta\tfive\t1\n"), "x.inter:2", "rating", "five");
  EXPECT_MENTIONS(error("u\ta\t5\tnan\n"), "x.inter:2", "timestamp");
  folder_.write("x.item", "item_id:token\ttitle:token_seq\n");
  EXPECT_MENTIONS(error("u\ta\t5\t1\n"), "x.item", "contains no items");
  folder_.write("x.item", kItems);
  EXPECT_MENTIONS(error("u\ta\t1\t1\n"), "x.inter", "data.click_rating = 4");
  config_.title_columns = {"titel"};
  EXPECT_MENTIONS(error("u\ta\t5\t1\n"), "x.item", "titel", "title");
  config_.title_columns = {"title"};
  folder_.write("x.item", "item_id\ttitle\n");
  EXPECT_MENTIONS(error("u\ta\t5\t1\n"), "x.item:1", "name:type");
  folder_.write("y.inter", kHeading);
  EXPECT_MENTIONS(error("u\ta\t5\t1\n"), "2 files", ".inter");
}

TEST(RecboleExample, IsRead) {
  const auto folder = fs::path(FASTFORMER_SOURCE_DIR) /
                      ".venv/lib/python3.11/site-packages/recbole/dataset_example/ml-100k";
  if (!fs::exists(folder)) GTEST_SKIP() << "the Python package recbole is not installed";
  DataConfig config;
  config.format = "recbole";
  config.train = {folder.string()};
  config.title_columns = {"movie_title"};
  config.category_column = "class";
  config.validation_fraction = config.test_fraction = 0.1;
  const auto source = read_clicks(config);
  EXPECT_EQ(source.items.size(), 1683);
  const auto& parts = source.parts;
  EXPECT_EQ(parts.train.size() + parts.validation.size() + parts.test.size(), 55'375);
  EXPECT_NEAR(static_cast<double>(parts.test.size()), 5'537, 60);
  EXPECT_LE(parts.validation[0].candidates.size(), 21u);
}

}  // namespace
}  // namespace fastformer::recommendation
