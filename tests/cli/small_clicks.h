#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/program.h"
#include "fastformer/base/format.h"

namespace fastformer::cli {

/// Ten news articles on sport and ten on markets as MIND writes them, users who like one of the
/// two, and a recipe that learns this within seconds.
class SmallClicks {
 public:
  static constexpr int kItems = 10;

  SmallClicks() {
    write_part("train", 48, true);
    write_part("validation", 8, true);
    write_part("test", 12, true);
    write_part("blind", 5, false);
    folder_.write("recipe.toml",
                  "[task]\nname = \"recommendation\"\n[data]\ntrain = [\"" + path("train") +
                      "\"]\nvalidation = [\"" + path("validation") + "\"]\ntest = [\"" +
                      path("test") +
                      "\"]\n[text]\nminimum_count = 1\n"
                      "[model]\nmodel = \"nrms\"\nwidth = 8\nheads = 2\nquery_width = 8\n"
                      "negatives = 2\ninitial_deviation = 0.3\n[model.users]\nheads = 2\n"
                      "[train]\nbatch_size = 8\nepochs = 4\nlearning_rate = 0.02\nthreads = 1\n"
                      "checkpoint_every = 3\nlog_every = 1\n");
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string content(const std::string& name) const { return content_of(folder_ / name); }
  const testing::TemporaryFolder& folder() const { return folder_; }
  Words train(const std::string& run) const {
    return {"train", path("recipe.toml"), "--output", path(run)};
  }
  Words recommend(const std::string& run, const std::string& history) const {
    return {"recommend", path(run + "/model"), "--items", path("test"), "--history", history};
  }
  void add_item(const std::string& id, const std::string& title) const {
    std::ofstream(folder_ / "test/news.tsv", std::ios::app) << row(id, title);
  }
  /// What a run leaves, and what must not depend on whether it was stopped.
  std::map<std::string, std::string> results(const std::string& run) const {
    std::map<std::string, std::string> files;
    for (const auto* file : {"model/model.safetensors", "test.json", "prediction.txt"}) {
      files[file] = content(run + "/" + file);
    }
    return files;
  }

 private:
  static std::string row(const std::string& id, const std::string& title) {
    return id + "\tnews\tnone\t" + title + "\tabstract\thttps://example.org\t[]\t[]\n";
  }
  static std::string item(bool sport, int number) {
    return base::format("%c%d", sport ? 'S' : 'M', number % kItems);
  }

  void write_part(const std::string& part, int impressions, bool labelled) const {
    std::string news_rows, behaviors;
    for (int i = 0; i < kItems; ++i) {
      news_rows += row(item(true, i), base::format("the team wins match %d", i));
      news_rows += row(item(false, i), base::format("oil prices fall %d percent", i));
    }
    for (int i = 0; i < impressions; ++i) {
      const bool sport = i % 2 == 0;
      const Words labels = labelled ? Words{"-1", "-0"} : Words{"", ""};
      behaviors += std::to_string(i + 1) + "\tU" + std::to_string(i) +
                   "\t11/15/2019 8:" + std::to_string(10 + i) + ":22 AM\t" + item(sport, i) + " " +
                   item(sport, i + 3) + "\t" + item(!sport, i + 1) + labels[1] + " " +
                   item(sport, i + 5) + labels[0] + " " + item(!sport, i + 2) + labels[1] + "\n";
    }
    std::filesystem::create_directory(folder_ / part);
    folder_.write(part + "/news.tsv", news_rows);
    folder_.write(part + "/behaviors.tsv", behaviors);
  }

  testing::TemporaryFolder folder_;
};

// The lines that are JSON: those of the log go to the same place in these tests.
inline std::vector<nlohmann::json> objects_of(const Outcome& outcome) {
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  std::vector<nlohmann::json> objects;
  std::istringstream lines(outcome.output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("{")) objects.push_back(nlohmann::json::parse(line));
  }
  return objects;
}

/// One training for all tests that only read the model of it.
class RecommendCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    clicks_ = new SmallClicks;
    trained_ = new Outcome(run_program(clicks_->train("run")));
  }
  static void TearDownTestSuite() {
    delete trained_;
    delete clicks_;
  }
  void SetUp() override { ASSERT_EQ(trained_->code, 0) << trained_->output; }

  static Outcome recommend(const std::string& history, const Words& more = {}) {
    return run_program(with(clicks_->recommend("run", history), more));
  }
  inline static SmallClicks* clicks_ = nullptr;
  inline static Outcome* trained_ = nullptr;
};

}  // namespace fastformer::cli
