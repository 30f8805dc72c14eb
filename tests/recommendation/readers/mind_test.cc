#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/recommendation/data_config.h"
#include "fastformer/recommendation/dataset.h"
#include "fastformer/recommendation/readers/formats.h"
#include "support/temporary_folder.h"
#include "support/zip_file.h"

namespace fastformer::recommendation {
namespace {

namespace fs = std::filesystem;

const std::string kNews =
    "N1\tnews\tus\tOil prices fall\tLong story\turl\t[]\t[]\n"
    "N2\tsports\tnfl\tBig win\t\turl\t[]\t[]\n"
    "N3\tnews\tworld\t\tOnly an abstract\turl\t[]\t[]\n";
const std::string kTime = "11/15/2019 8:55:22 AM";

std::string line(const std::string& history, const std::string& shown,
                 const std::string& user = "U1", const std::string& time = kTime) {
  return "7\t" + user + "\t" + time + "\t" + history + "\t" + shown + "\n";
}

std::vector<std::int32_t> numbers(std::span<const std::int32_t> history) {
  return {history.begin(), history.end()};
}

class MindClicksTest : public ::testing::Test {
 protected:
  ClickSource read(const std::string& behaviors) { return read_clicks(config_for(behaviors)); }
  DataConfig config_for(const std::string& behaviors) {
    folder_.write("news.tsv", kNews);
    folder_.write("behaviors.tsv", behaviors);
    config_.train = {folder_.path().string()};
    return config_;
  }
  std::string error(const std::string& behaviors) {
    return testing::error_of([&] { read(behaviors); });
  }
  testing::TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(MindClicksTest, AHeadingIsRefusedAndTimesMayBeIso8601) {
  EXPECT_EQ(read(line("N1", "N3-1 N1-0", "U1", "2019-11-15T08:55:22")).parts.train.size(), 1);
  folder_.write("items.tsv", "news_id\tcategory\tsubcategory\ttitle\tabstract\n" + kNews);
  ItemTable items;
  EXPECT_MENTIONS(testing::error_of([&] { read_mind_items(folder_ / "items.tsv", {}, items); }),
                  "items.tsv:1", "is a header row");
}

TEST_F(MindClicksTest, ReadsImpressionsAndItems) {
  const auto source = read(line("N1 N2", "N3-1 N1-0") + line("", "N2-0 N1-1", "U2"));
  ASSERT_EQ(source.items.size(), 4);
  EXPECT_EQ(source.items.title(1), "Oil prices fall");
  EXPECT_EQ(source.items.categories(), (std::vector<std::string>{"news", "sports"}));
  EXPECT_EQ(source.items.category(3), 0);
  EXPECT_EQ(source.items.category(ItemTable::kUnknown), -1);
  EXPECT_EQ(source.training_items, 3);
  const auto& log = source.parts.train;
  ASSERT_EQ(log.size(), 2);
  EXPECT_EQ(log[0].id, "7");
  EXPECT_EQ(log[0].time, 1'573'808'122);  // date -u -d '2019-11-15 08:55:22' +%s
  EXPECT_EQ(numbers(log[0].history), (std::vector<std::int32_t>{1, 2}));
  EXPECT_EQ(log[0].candidates[0], Candidate(3, true));
  EXPECT_EQ(log[0].candidates[1], Candidate(1, false));
  EXPECT_TRUE(log[1].history.empty());
  EXPECT_EQ(log.counts().users, 2);
  EXPECT_EQ(log.counts().clicks, 2);
  EXPECT_EQ(log.counts().candidates, 4);
  EXPECT_EQ(log.counts().empty_histories, 1);
}

TEST_F(MindClicksTest, QuotesAreTextAndLinesMayEndAsOnWindows) {
  const auto with_carriage_returns = [](std::string text) {
    for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2)) {
      text.insert(at, 1, '\r');
    }
    return text;
  };
  const std::string news = kNews + "N4\tsports\tnfl\tTeam wins \"big\" game\t\"A\turl\t[]\t[]\n" +
                           "N5\tsports\tnfl\t\"Big\tText\n";
  const auto behaviors = line("N1 N2", "N3-1 N4-0") + line("", "N5-0 N1-1", "U2");
  testing::TemporaryFolder other;
  folder_.write("news.tsv", news);
  folder_.write("behaviors.tsv", behaviors);
  other.write("news.tsv", with_carriage_returns(news));
  other.write("behaviors.tsv", with_carriage_returns(behaviors));
  for (const auto* folder : {&folder_, &other}) {
    config_.train = {folder->path().string()};
    const auto source = read_clicks(config_);
    ASSERT_EQ(source.items.size(), 6);
    EXPECT_EQ(source.items.title(4), "Team wins \"big\" game");
    EXPECT_EQ(source.items.title(5), "\"Big");
    const auto& log = source.parts.train;
    ASSERT_EQ(log.size(), 2);
    EXPECT_EQ(numbers(log[0].history), (std::vector<std::int32_t>{1, 2}));
    ASSERT_EQ(log[0].candidates.size(), 2u);
    EXPECT_EQ(log[0].candidates[1], Candidate(4, false));
    ASSERT_EQ(log[1].candidates.size(), 2u);
    EXPECT_EQ(log[1].candidates[1], Candidate(1, true));
    EXPECT_EQ(log.counts().unknown_candidates, 0);
  }
}

TEST_F(MindClicksTest, TwelveOClockIsNoonOrMidnight) {
  const auto source = read(line("", "N1-1 N2-0", "U1", "1/1/1970 12:00:05 AM") +
                           line("", "N1-1 N2-0", "U1", "1/1/1970 12:00:05 PM") +
                           line("", "N1-1 N2-0", "U1", "1/2/1970 1:00:00 PM"));
  EXPECT_EQ(source.parts.train[0].time, 5);
  EXPECT_EQ(source.parts.train[1].time, 12 * 3600 + 5);
  EXPECT_EQ(source.parts.train[2].time, (24 + 13) * 3600);
}

TEST_F(MindClicksTest, UnknownItemsLeaveTheHistoryButStayAmongTheShown) {
  const auto log = read(line("N9 N1 N8", "N9-0 N1-1")).parts.train;
  EXPECT_EQ(numbers(log[0].history), (std::vector<std::int32_t>{1}));
  ASSERT_EQ(log[0].candidates.size(), 2u);
  EXPECT_EQ(log[0].candidates[0].item(), ItemTable::kUnknown);
  EXPECT_EQ(log.counts().unknown_history, 2);
  EXPECT_EQ(log.counts().unknown_candidates, 1);
}

TEST_F(MindClicksTest, KeepsTheLastClicksAndAHistoryOnce) {
  config_.history = 2;
  const auto log = read(line("N1 N2 N3", "N1-1 N2-0") + line("N1 N2 N3", "N2-1 N1-0") +
                        line("N1", "N2-1 N1-0") + line("N1 N2 N3", "N2-1 N1-0", "U2"))
                       .parts.train;
  EXPECT_EQ(numbers(log[0].history), (std::vector<std::int32_t>{2, 3}));
  EXPECT_EQ(log[0].history.data(), log[1].history.data());
  EXPECT_EQ(numbers(log[2].history), (std::vector<std::int32_t>{1}));
  EXPECT_EQ(numbers(log[3].history), (std::vector<std::int32_t>{2, 3}));
}

TEST_F(MindClicksTest, CountsWhatTeachesNothing) {
  const auto counts =
      read(line("N1", "N1-1 N2-1") + line("N1", "N1-0 N2-0") + line("N1", "N1-1 N2-0"))
          .parts.train.counts();
  EXPECT_EQ(counts.without_negatives, 1);
  EXPECT_EQ(counts.without_clicks, 1);
}

TEST_F(MindClicksTest, ABlindTestHasNoLabels) {
  auto config = config_for(line("N1", "N1-1 N2-0"));
  config.test = {folder_.write("blind.tsv", line("N1", "N1 N2")).string()};
  const auto test = read_clicks(config).parts.test;
  EXPECT_FALSE(test.labelled());
  EXPECT_EQ(test[0].candidates[1].item(), 2);
  EXPECT_FALSE(test[0].candidates[1].clicked());
  config.train = config.test;
  EXPECT_MENTIONS(testing::error_of([&] { read_clicks(config); }), "data.train", "-0");
}

TEST_F(MindClicksTest, RefusesBrokenLines) {
  const auto good = line("N1", "N1-1 N2-0");
  EXPECT_MENTIONS(error(good + "7\tU1\t" + kTime + "\tN1-1\n"), "behaviors.tsv:2", "4 columns");
  EXPECT_MENTIONS(error(good + line("N1", "N1-1 N2")), "behaviors.tsv:2", "'N2'");
  EXPECT_MENTIONS(error(good + line("N1", "N1-1 N2-2")), "behaviors.tsv:2", "'N2-2'");
  EXPECT_MENTIONS(error(good + line("N1", "")), "behaviors.tsv:2", "no shown items");
  EXPECT_MENTIONS(error(line("N1", "N1 N2-1")), "behaviors.tsv:1", "'N2-1'");
  EXPECT_MENTIONS(error(""), "behaviors.tsv", "no impressions");
  EXPECT_MENTIONS(error(line("N1", "N1-1 N2-1")), "1 impressions with 2 clicks among 2");
  for (const auto* time : {"", "11/15/2019", "13/15/2019 8:55:22 AM", "2/30/2019 8:55:22 AM",
                           "11/15/2019 13:55:22 PM", "11/15/2019 8:55:22", "11/15/2019 8:60:22 AM",
                           "-1/15/2019 8:55:22 AM", "11/15/2019 8:55:22 AMX"}) {
    EXPECT_MENTIONS(error(line("N1", "N1-1 N2-0", "U1", time)), "behaviors.tsv:1", "time");
  }
}

TEST_F(MindClicksTest, RefusesWrongItemsAndColumns) {
  auto config = config_for(line("N1", "N1-1 N2-0"));
  const auto error_with = [&] { return testing::error_of([&] { read_clicks(config); }); };
  folder_.write("news.tsv", "N1\tnews\tus\tTitle\n");
  EXPECT_MENTIONS(error_with(), "news.tsv:1", "4 columns");
  folder_.write("news.tsv", "\tnews\tus\tTitle\tText\n");
  EXPECT_MENTIONS(error_with(), "news.tsv:1", "no id");
  folder_.write("news.tsv", kNews);
  config.title_columns = {"titel"};
  EXPECT_MENTIONS(error_with(), "titel", "title");
  config.title_columns = {"title", "abstract"};
  EXPECT_EQ(read_clicks(config).items.title(1), "Oil prices fall Long story");
  fs::remove(folder_ / "news.tsv");
  EXPECT_MENTIONS(error_with(), "news.tsv", "data.news");
}

TEST_F(MindClicksTest, SplitsByTime) {
  std::string lines;
  for (const int hour : {9, 3, 7, 1, 5}) {
    lines += line("N1", "N1-1 N2-0", "U" + std::to_string(hour),
                  "11/15/2019 " + std::to_string(hour) + ":00:00 AM");
  }
  config_.validation_fraction = 0.2;
  config_.test_fraction = 0.2;
  const auto parts = read(lines).parts;
  ASSERT_EQ(parts.train.size(), 3);
  ASSERT_EQ(parts.validation.size(), 1);
  ASSERT_EQ(parts.test.size(), 1);
  EXPECT_LT(parts.train[2].time, parts.validation[0].time);
  EXPECT_LT(parts.validation[0].time, parts.test[0].time);
  EXPECT_GT(parts.train[0].time, parts.train[1].time);  // the order of the file
  EXPECT_EQ(numbers(parts.test[0].history), (std::vector<std::int32_t>{1}));
  EXPECT_EQ(parts.train.counts().users, 3);
  config_.validation_fraction = config_.test_fraction = 0.5;
  EXPECT_MENTIONS(error(lines), "together", "0.95");
  config_.validation_fraction = 0.05;
  config_.test_fraction = 0;
  EXPECT_MENTIONS(error(lines), "validation_fraction", "no impression");
  config_.validation_fraction = 0.5;
  EXPECT_MENTIONS(error(line("N1", "N1-1 N2-0") + line("N1", "N1-1 N2-0")), "the same time");
}

TEST_F(MindClicksTest, TokenizesEachTitleOnceAndCutsIt) {
  const testing::TemporaryFolder test;
  test.write("news.tsv", "N1\tx\tx\tAnother title\tText\nN4\tx\tx\tunseen words fall\tText\n");
  test.write("behaviors.tsv", line("N1", "N4-1 N1-0"));
  auto config = config_for(line("N1", "N1-1 N2-0"));
  config.test = {test.path().string()};
  config.title_tokens = 2;
  text::TokenizerConfig text_config;
  text_config.minimum_count = 1;
  const auto dataset = prepare(config, text_config);
  ASSERT_EQ(dataset.titles.size(), 5);
  EXPECT_TRUE(dataset.titles.title(0).empty());
  EXPECT_EQ(dataset.titles.title(1).size(), 2u);
  EXPECT_EQ(dataset.titles.cut, 2);
  EXPECT_EQ(dataset.titles.empty, 1);
  // The words of the test's titles are not in the vocabulary: 5 words and 2 special tokens.
  EXPECT_EQ(dataset.tokenizer->vocabulary_size(), 7);
  EXPECT_EQ(dataset.titles.title(4)[0], dataset.tokenizer->unknown_id());
  EXPECT_MENTIONS(dataset.summary(), "impressions", "without a title 1", "truncated 2");
}

TEST_F(MindClicksTest, OnlyTrainingNeedsATrainingPart) {
  auto config = config_for(line("N1", "N1-1 N2-0"));
  config.test = config.train;
  config.train = {};
  EXPECT_EQ(read_clicks(config).parts.test.size(), 1);
  const auto learned = [&] { prepare(config, text::TokenizerConfig{}); };
  EXPECT_MENTIONS(testing::error_of(learned), "data.train is empty");
  config.test = {};
  EXPECT_MENTIONS(testing::error_of([&] { read_clicks(config); }), "data.test", "empty");
}

TEST_F(MindClicksTest, TrainingNeedsSomethingToMeasure) {
  const testing::TemporaryFolder test;
  test.write("news.tsv", "N1\tx\tx\tA title\tText\n");
  test.write("behaviors.tsv", line("N1", "N1-0") + line("N1", "N1-1"));
  auto config = config_for(line("N1", "N1-1 N2-0"));
  config.test = {test.path().string()};
  EXPECT_EQ(read_clicks(config).parts.test.measurable(), 0);
  const auto learned = [&] { prepare(config, text::TokenizerConfig{}); };
  EXPECT_MENTIONS(testing::error_of(learned), "test part", "none of the 2");
  test.write("behaviors.tsv", line("N1", "N1"));  // a blind set
  EXPECT_EQ(testing::error_of(learned), "");
}

TEST_F(MindClicksTest, OnlyATestPartMayBeBlind) {
  const testing::TemporaryFolder blind;
  blind.write("news.tsv", kNews);
  blind.write("behaviors.tsv", line("N1", "N1 N2"));
  auto config = config_for(line("N1", "N1-1 N2-0"));
  config.validation = {blind.path().string()};
  EXPECT_MENTIONS(testing::error_of([&] { prepare(config, text::TokenizerConfig{}); }),
                  "data.validation", "-0 and -1");
}

TEST_F(MindClicksTest, ReadsTheArchiveAsItIsDownloaded) {
  const auto behaviors = line("N1 N2", "N3-1 N1-0") + line("", "N2-0 N1-1", "U2");
  const auto zip = folder_ / "MINDsmall_train.zip";
  testing::write_zip(zip, {{"MINDsmall_train/", ""},
                           {"MINDsmall_train/entity_embedding.vec", "Q1\t0.5\n"},
                           {"MINDsmall_train/news.tsv", kNews},
                           {"MINDsmall_train/behaviors.tsv", behaviors}});
  DataConfig config;
  config.train = {zip.string()};
  const auto source = read_clicks(config);
  EXPECT_EQ(source.items.size(), 4);
  ASSERT_EQ(source.parts.train.size(), 2);
  EXPECT_EQ(source.parts.train[1].candidates[1], Candidate(1, true));
  ASSERT_EQ(source.notices.size(), 1u);
  EXPECT_MENTIONS(source.notices[0], "MINDsmall_train.zip/entity_embedding.vec is ignored");
  ItemTable items;
  read_mind_items(zip, config, items);
  EXPECT_EQ(items.size(), 4);

  const auto refused = [&] { return testing::error_of([&] { read_clicks(config); }); };
  testing::write_zip(zip, {{"news.tsv", kNews}});
  EXPECT_MENTIONS(refused(), "MINDsmall_train.zip/behaviors.tsv: does not exist");
  testing::write_zip(zip, {{"behaviors.tsv", behaviors}});
  EXPECT_MENTIONS(refused(), "MINDsmall_train.zip/news.tsv: does not exist", "data.news");
  testing::write_zip(zip, {{"news.tsv", kNews}, {"behaviors.tsv", "7\tU1\n"}});
  EXPECT_MENTIONS(refused(), "MINDsmall_train.zip/behaviors.tsv:1", "2 columns");
  folder_.write("MINDsmall_train.zip", "no archive");
  EXPECT_MENTIONS(refused(), "MINDsmall_train.zip", "damaged");
}

TEST_F(MindClicksTest, ImpressionsBeforeTheEndOfTrainingAreReported) {
  const testing::TemporaryFolder test;
  test.write("news.tsv", kNews);
  test.write("behaviors.tsv", line("N1", "N1-0 N2-1", "U1", "11/14/2019 8:55:22 AM") +
                                  line("N1", "N1-0 N2-1", "U1", "11/15/2019 8:55:22 PM"));
  auto config = config_for(line("N1", "N1-1 N2-0"));
  config.test = {test.path().string()};
  const auto dataset = prepare(config, text::TokenizerConfig{.minimum_count = 1});
  ASSERT_EQ(dataset.notices.size(), 1u);
  EXPECT_MENTIONS(
      dataset.notices.front(),
      "time: 1 of 2 impressions of the test part are earlier than the last training impression");
}

TEST(MindFragments, AreRead) {
  const fs::path folder = fs::path(FASTFORMER_SOURCE_DIR) / "local/mind";
  if (!fs::exists(folder / "behaviors.tsv")) GTEST_SKIP() << "no MIND fragments in local/mind";
  DataConfig config;
  config.train = {folder.string()};
  config.validation_fraction = 0.1;
  const auto source = read_clicks(config);
  EXPECT_EQ(source.items.size(), 2001);
  EXPECT_EQ(source.items.categories().size(), 15u);
  const auto& parts = source.parts;
  EXPECT_EQ(parts.train.size() + parts.validation.size(), 5000);
  EXPECT_EQ(parts.train.counts().candidates + parts.validation.counts().candidates, 189'359);
  EXPECT_EQ(parts.train.counts().clicks + parts.validation.counts().clicks, 7'542);
}

}  // namespace
}  // namespace fastformer::recommendation
