#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "cli/program.h"
#include "cli/small_clicks.h"
#include "cli/small_pairs.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

const fs::path kSources = fs::path(FASTFORMER_SOURCE_DIR) / "examples";

/// The programs of examples/, with a trained model for each.
class Examples : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    task_ = new SmallTask;
    clicks_ = new SmallClicks;
    pairs_ = new SmallPairs;
    for (const auto& train : {task_->train("run"), clicks_->train("run"), pairs_->train("run")}) {
      const auto outcome = run_program(train);
      ASSERT_EQ(outcome.code, 0) << outcome.output;
    }
  }
  static void TearDownTestSuite() {
    delete pairs_;
    delete clicks_;
    delete task_;
  }

  // What each takes, the model first.
  static std::map<std::string, Words> arguments() {
    return {{"classify", {task_->path("run/model"), "oil prices fall"}},
            {"recommend", {clicks_->path("run/model"), clicks_->path("test"), "S1", "S2"}},
            {"summarize", {pairs_->path("run/model"), SmallPairs::document(0)}}};
  }
  static std::string output_of(const std::string& example) {
    const auto outcome = run_example(example, arguments().at(example));
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    return outcome.output;
  }
  inline static SmallTask* task_ = nullptr;
  inline static SmallClicks* clicks_ = nullptr;
  inline static SmallPairs* pairs_ = nullptr;
};

TEST_F(Examples, AreAllTested) {
  std::set<std::string> names, tested;
  for (const auto& entry : fs::directory_iterator(kSources)) {
    if (entry.path().extension() == ".cc") names.insert(entry.path().stem());
  }
  for (const auto& [name, words] : arguments()) tested.insert(name);
  EXPECT_EQ(names, tested);
}

TEST_F(Examples, ClassifyPrintsTheLabelsAndTheirProbabilities) {
  const auto outcome =
      run_program({"predict", task_->path("run/model"), "--json"}, "oil prices fall\n");
  const auto probabilities = nlohmann::json::parse(outcome.output)["probabilities"];
  std::istringstream lines(output_of("classify"));
  std::string label;
  double probability = 0;
  Words labels;
  while (lines >> label >> probability) {
    labels.push_back(label);
    EXPECT_NEAR(probability, probabilities.at(label).get<double>(), 1e-5) << label;
  }
  EXPECT_EQ(labels, (Words{"market", "sport"}));
}

TEST_F(Examples, RecommendPrintsWhatTheCommandChooses) {
  std::istringstream lines(output_of("recommend"));
  const auto chosen = objects_of(run_program(with(clicks_->recommend("run", "S1,S2"), {"--json"})));
  ASSERT_EQ(chosen.size(), 10u);
  std::string line;
  for (const auto& item : chosen) {
    ASSERT_TRUE(std::getline(lines, line));
    std::istringstream words(line);
    double score = 0;
    std::string id;
    words >> score >> id;
    EXPECT_NEAR(score, item["score"].get<double>(), 1e-4) << line;
    EXPECT_EQ(id, item["id"]);
  }
  EXPECT_FALSE(std::getline(lines, line));
}

TEST_F(Examples, SummarizePrintsWhatTheCommandWrites) {
  const auto written =
      run_program({"summarize", pairs_->path("run/model")}, SmallPairs::document(0) + "\n");
  EXPECT_EQ(output_of("summarize"), written.output);
  EXPECT_GT(written.output.size(), 1u);
}

TEST_F(Examples, MissingArgumentsGetTheUsage) {
  for (const auto& [name, words] : arguments()) {
    for (const auto& given : {Words{}, Words{words.front()}}) {
      const auto outcome = run_example(name, given);
      EXPECT_EQ(outcome.code, 1);
      EXPECT_TRUE(outcome.output.starts_with("usage: " + name + " MODEL ")) << outcome.output;
      EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1);
    }
  }
}

TEST_F(Examples, AMissingModelGetsOneSentence) {
  for (auto [name, words] : arguments()) {
    words.front() = task_->path("nowhere");
    const auto outcome = run_example(name, words);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.output,
              words.front() +
                  " is not a model directory; give the folder that training wrote, such as "
                  "runs/<name>/model\n");
  }
}

TEST_F(Examples, TheReadmeShowsThemAndEachIsShort) {
  const auto readme = content_of(fs::path(FASTFORMER_SOURCE_DIR) / "README.md");
  for (const auto& [name, words] : arguments()) {
    const auto example = content_of(kSources / (name + ".cc"));
    EXPECT_NE(readme.find("```cpp\n" + example + "```"), std::string::npos)
        << "README.md shows another examples/" << name << ".cc";
    std::istringstream lines(example);
    std::int64_t filled = 0;
    for (std::string line; std::getline(lines, line);) filled += !line.empty();
    EXPECT_LE(filled, 12) << name;
  }
}

}  // namespace
}  // namespace fastformer::cli
