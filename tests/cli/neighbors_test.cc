#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "cli/program.h"

namespace fastformer::cli {
namespace {

using Json = nlohmann::json;

// A trained model and the vectors of a few texts in both forms.
class NeighborsCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    task_ = std::make_unique<SmallTask>();
    const auto trained = run_program(task_->train("run"));
    ASSERT_EQ(trained.code, 0) << trained.output;
    const auto texts = write("texts.txt", kTexts);
    for (const auto* name : {"v.npy", "v.jsonl"}) {
      const auto done = run_program({"embed", path("run/model"), texts, "--output", path(name)});
      ASSERT_EQ(done.code, 0) << done.output;
    }
  }
  static void TearDownTestSuite() { task_.reset(); }

  static std::string path(const std::string& name) { return task_->path(name); }
  static std::string write(const std::string& name, const std::string& content) {
    return task_->folder().write(name, content).string();
  }
  static Outcome neighbors(const Words& arguments) {
    return run_program(with({"neighbors"}, arguments));
  }
  static Words lines(const Outcome& outcome) {
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    std::istringstream stream(outcome.output);
    Words lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  static inline const std::string kTexts =
      "oil prices fall 3 percent\nthe team wins match 4 of the cup\noil prices fall 5 percent\n"
      "the team wins match 6 of the cup\n";
  static inline std::unique_ptr<SmallTask> task_;
};

TEST_F(NeighborsCommand, TheNearestDocumentHasTheSameTopic) {
  const auto found = lines(neighbors({path("v.jsonl"), "--row", "1,2", "--top-k", "1"}));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(found[0].starts_with("1\t3\t")) << found[0];
  EXPECT_TRUE(found[0].ends_with("\toil prices fall 5 percent")) << found[0];
  EXPECT_TRUE(found[1].starts_with("2\t4\t")) << found[1];
}

TEST_F(NeighborsCommand, ATextIsAQueryThroughItsModel) {
  const auto found = lines(neighbors({path("v.npy"), "--model", path("run/model"), "--text",
                                      "the team wins match 6 of the cup", "--top-k", "2",
                                      "--output-format", "csv", "--texts", path("texts.txt")}));
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0], "query,row,similarity,text");
  EXPECT_EQ(found[1], "1,4,1.0000,the team wins match 6 of the cup");
  EXPECT_TRUE(found[2].starts_with("1,2,")) << found[2];
}

TEST_F(NeighborsCommand, EachRowOfAFileIsAQuery) {
  const auto output = path("answers.jsonl");
  ASSERT_EQ(
      neighbors({path("v.jsonl"), path("v.npy"), "--output-format", "jsonl", "--output", output})
          .output,
      "");
  std::istringstream stream(content_of(output));
  std::size_t query = 0;
  for (std::string line; std::getline(stream, line);) {
    const auto json = Json::parse(line);
    EXPECT_EQ(json.at("query"), ++query);
    ASSERT_EQ(json.at("neighbors").size(), 4U);
    EXPECT_EQ(json.at("neighbors")[0].at("row"), query);
    EXPECT_NEAR(json.at("neighbors")[0].at("similarity").get<double>(), 1, 1e-5);
  }
  EXPECT_EQ(query, 4U);
}

TEST_F(NeighborsCommand, BadInputGetsOneSentence) {
  const auto npy = path("v.npy");
  expect_refusal(neighbors({npy}), {"--row", "--text"});
  expect_refusal(neighbors({npy, npy, "--row", "1"}), {"one way"});
  expect_refusal(neighbors({npy, "--row", "5"}), {"v.npy", "row 5", "4 rows"});
  EXPECT_EQ(neighbors({npy, "--row", "0"}).code, 2);
  expect_refusal(neighbors({npy, write("w.jsonl", "{\"vector\": [1, 2]}\n")}),
                 {"w.jsonl", "width 2", "16"});
  expect_refusal(neighbors({npy, "--row", "1", "--texts", write("one.txt", "a\n")}),
                 {"one.txt", "1 lines", "4 vectors"});
  const auto content = content_of(npy);
  expect_refusal(neighbors({write("cut.npy", content.substr(0, content.size() - 4)), "--row", "1"}),
                 {"cut.npy", "4 vectors of 16 numbers", "less"});
  auto other = content;
  other.replace(other.find("<f4"), 3, "<i4");
  expect_refusal(neighbors({write("i4.npy", other), "--row", "1"}), {"'<i4'", "np.load"});
  auto infinite = content;
  infinite.replace(128, 4, std::string("\0\0\x80\x7F", 4));
  expect_refusal(neighbors({write("inf.npy", infinite), "--row", "1"}),
                 {"inf.npy", "vector 1", "not finite"});
  expect_refusal(neighbors({path("gone.npy"), "--row", "1"}), {"gone.npy"});
  EXPECT_EQ(neighbors({npy, "--text", "oil"}).code, 2) << "--text needs --model";
}

}  // namespace
}  // namespace fastformer::cli
