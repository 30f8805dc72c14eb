#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "fastformer/recommendation/data_config.h"
#include "fastformer/recommendation/readers/formats.h"
#include "support/temporary_folder.h"

namespace fastformer::recommendation {
namespace {

std::string package(const std::string& name, const std::string& depends,
                    const std::string& source = "") {
  return "Package: " + name + "\n" + (source.empty() ? "" : "Source: " + source + "\n") +
         "Section: net\n" + (depends.empty() ? "" : "Depends: " + depends + "\n") +
         "Description: short " + name + "\n It runs.\n .\n On routers.\n\n";
}

class DebianClicksTest : public ::testing::Test {
 protected:
  DebianClicksTest() {
    config_.format = "debian";
    config_.sampled_negatives = 1;
  }
  ClickSource read(const std::string& index) {
    config_.train = {folder_.write("Packages", index).string()};
    return read_clicks(config_);
  }
  testing::TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(DebianClicksTest, EachDependencyIsAClickAndTheOthersItsHistory) {
  const auto source =
      read(package("a", "") + package("b", "") + package("c", "") + package("d", "") +
           package("user", "a (>= 1.2), b:any | d, c [amd64], gone, a, user"));
  EXPECT_EQ(source.items.title(1), "short a");
  EXPECT_EQ(source.items.categories(), (std::vector<std::string>{"net"}));
  const auto& log = source.parts.train;
  ASSERT_EQ(log.size(), 3);
  EXPECT_EQ(log.counts().users, 1);
  EXPECT_EQ(log.counts().unknown_history, 1);
  const std::vector<std::vector<std::int32_t>> histories = {{2, 3}, {3, 1}, {1, 2}};
  for (std::int32_t i = 0; i < 3; ++i) {
    const auto history = log[i].history;
    EXPECT_EQ(std::vector<std::int32_t>(history.begin(), history.end()), histories[i]);
    ASSERT_EQ(log[i].candidates.size(), 2u);
    for (const auto& candidate : log[i].candidates) {
      EXPECT_EQ(candidate.item(), candidate.clicked() ? i + 1 : 4);
    }
  }
  EXPECT_EQ(log[1].id, "user:b");
}

TEST_F(DebianClicksTest, KeepsTheLastOfARing) {
  config_.history = 1;
  const auto log = read(package("a", "") + package("b", "") + package("c", "") + package("d", "") +
                        package("user", "a, b, c"))
                       .parts.train;
  EXPECT_EQ(log[0].history.size(), 1u);
  EXPECT_EQ(log[0].history[0], 3);
  EXPECT_EQ(log[1].history[0], 1);
}

TEST_F(DebianClicksTest, PackagesOfASourceStayTogether) {
  std::string index = package("a", "") + package("b", "");
  for (int i = 0; i < 40; ++i) {
    const auto number = std::to_string(i / 4);
    index += package("p" + std::to_string(i), "a", "source" + number);
  }
  config_.validation_fraction = 0.25;
  const auto source = read(index);
  const auto sources = [&](const ImpressionLog& log) {
    std::set<std::int32_t> result;
    for (std::int64_t i = 0; i < log.size(); ++i) result.insert((log[i].user - 3) / 4);
    return result;
  };
  const auto train = sources(source.parts.train), validation = sources(source.parts.validation);
  EXPECT_EQ(train.size() + validation.size(), 10u);
  EXPECT_EQ(validation.size(), 3u);  // 10 impressions are asked for, the source is kept whole
  EXPECT_EQ(source.parts.validation.size(), 12);
}

TEST_F(DebianClicksTest, RefusesColumnsThatPackagesDoNotHave) {
  const auto error = [&] {
    return testing::error_of([&] { read(package("a", "") + package("b", "a")); });
  };
  config_.title_columns = {"abstract"};
  EXPECT_MENTIONS(error(), "abstract", "title");
  config_.title_columns = {"title", "body"};
  EXPECT_EQ(read(package("a", "") + package("b", "a") + package("c", "")).items.title(1),
            "short a It runs.\n\nOn routers.");
  config_.category_column = "Section";
  EXPECT_MENTIONS(error(), "category_column");
  config_.category_column = "";
  config_.news = {"x"};
  EXPECT_MENTIONS(error(), "data.news");
  config_.news = {};
  EXPECT_MENTIONS(testing::error_of([&] { read("no field\n"); }), "Packages:1");
}

}  // namespace
}  // namespace fastformer::recommendation
