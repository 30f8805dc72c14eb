#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "cli/program.h"
#include "cli/small_clicks.h"

namespace fastformer::cli {
namespace {

const std::string kUsers =
    "{\"user\": \"A\", \"history\": [\"S1\", \"S2\"]}\n"
    "{\"user\": \"B\", \"history\": []}\n"
    "{\"user\": \"C\", \"history\": [\"M1\", \"X9\"], \"candidates\": [\"S3\", \"M4\", \"Y\"]}\n";

class RecommendToMany : public RecommendCommand {
 protected:
  static Outcome run(const std::string& users, const Words& more = {}) {
    return run_program(with({"recommend", clicks_->path("run/model"), "--items",
                             clicks_->path("test"), "--users", users},
                            more));
  }
  static std::string users() { return clicks_->folder().write("many.jsonl", kUsers).string(); }
};

TEST_F(RecommendToMany, EachRecordHasOneResult) {
  const auto outcome = run(users(), {"--top-k", "3"});
  EXPECT_MENTIONS(outcome.output, "1 ids of the histories and 1 candidates", "X9, Y",
                  "1 of 3 users are cold");
  const auto results = objects_of(outcome);
  ASSERT_EQ(results.size(), 3U);
  const auto alone = objects_of(recommend("S1,S2", {"--top", "3", "--json"}));
  ASSERT_EQ(results[0].at("items").size(), 3U);
  for (std::size_t k = 0; k < 3; ++k) {
    const auto& item = results[0].at("items")[k];
    EXPECT_EQ(item.at("id"), alone[k].at("id"));
    EXPECT_EQ(item.at("title"), alone[k].at("title"));
    EXPECT_NEAR(item.at("score").get<double>(), alone[k].at("score").get<double>(), 1e-5);
    EXPECT_FALSE(item.contains("clicks"));
  }
  EXPECT_EQ(results[1].at("user"), "B");
  EXPECT_EQ(results[1].at("row"), 2);
  EXPECT_TRUE(results[1].at("cold").get<bool>());
  EXPECT_TRUE(results[1].at("items").empty());
  EXPECT_EQ(results[2].at("unknown"), Words{"X9"});
  EXPECT_EQ(results[2].at("unknown_candidates"), Words{"Y"});
  ASSERT_EQ(results[2].at("items").size(), 2U);
  EXPECT_EQ(results[2].at("items")[0].at("id"), "M4");
}

TEST_F(RecommendToMany, ExplainsAndIncludesWhatWasSeen) {
  const auto results = objects_of(run(users(), {"--explain", "--include-seen", "--top", "99"}));
  EXPECT_EQ(results[0].at("items").size(), 20U);
  EXPECT_EQ(results[0].at("items")[0].at("clicks").size(), 2U);
  EXPECT_EQ(run(users(), {"--include-seen", "--exclude-seen"}).code, 2);
}

// Among so few items the approximate search finds the same.
TEST_F(RecommendToMany, SearchesApproximatelyIfAskedTo) {
  const auto exact = objects_of(run(users(), {"--top", "2"}));
  const auto near = objects_of(run(users(), {"--top", "2", "--approximate"}));
  ASSERT_EQ(near.size(), exact.size());
  for (std::size_t i = 0; i < near.size(); ++i) {
    ASSERT_EQ(near[i].at("items").size(), exact[i].at("items").size());
    for (std::size_t k = 0; k < near[i].at("items").size(); ++k) {
      EXPECT_NEAR(near[i].at("items")[k].at("score").get<double>(),
                  exact[i].at("items")[k].at("score").get<double>(), 1e-4);
    }
  }
  EXPECT_EQ(recommend("S1", {"--approximate"}).code, 2) << "is for --users";
}

TEST_F(RecommendToMany, WritesTablesAndFiles) {
  const auto file = clicks_->path("answers.csv");
  ASSERT_EQ(run(users(), {"--top", "2", "--output-format", "csv", "--output", file}).code, 0);
  std::istringstream lines(content_of(file));
  Words rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(line);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0], "user,cold,unknown,item,score,title,item_2,score_2,title_2");
  EXPECT_TRUE(rows[1].starts_with("A,false,0,S")) << rows[1];
  EXPECT_EQ(rows[2], "B,true,0,,,,,,");
  EXPECT_TRUE(rows[3].starts_with("C,false,2,M4,")) << rows[3];
}

TEST_F(RecommendToMany, ImpressionsOfMindAreRanked) {
  const auto results = objects_of(run(clicks_->path("test")));
  ASSERT_EQ(results.size(), 12U);
  EXPECT_EQ(results[0].at("user"), "U0");
  EXPECT_EQ(results[0].at("items").size(), 3U);
  EXPECT_EQ(results[0].at("items")[0].at("id"), "S5");
}

TEST_F(RecommendToMany, BadInputGetsOneSentence) {
  expect_refusal(run(clicks_->folder().write("bad.jsonl", "{\"historie\": []}\n").string()),
                 {"bad.jsonl:1", "'historie'", "did you mean 'history'?"});
  expect_refusal(run(users(), {"--explain", "--output-format", "csv"}), {"--explain", "jsonl"});
  expect_refusal(run(clicks_->path("gone.jsonl")), {"gone.jsonl"});
  EXPECT_EQ(run(users(), {"--history", "S1"}).code, 2);
  EXPECT_EQ(recommend("S1", {"--explain"}).code, 2) << "for --users";
}

}  // namespace
}  // namespace fastformer::cli
