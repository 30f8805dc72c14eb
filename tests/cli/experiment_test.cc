#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "cli/program.h"
#include "fastformer/train/run_directory.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

// Each line without what follows its last `separator`: results.csv and the tables of results.md
// end in the only column that depends on the clock.
std::string without_last_column(const std::string& text, char separator) {
  std::istringstream lines(text);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    if (separator == '|' && line.ends_with(" |")) line.resize(line.size() - 2);
    kept += line.substr(0, line.rfind(separator)) + "\n";
  }
  return kept;
}

/// Two data sets and two variants of a small task, and two seeds: eight trainings of a second.
class SmallGrid {
 public:
  explicit SmallGrid(const std::string& output = "out") : output_(output) { write("concat"); }

  void write(const std::string& interaction, const std::string& more = "") const {
    const auto recipe = "recipe = \"" + task_.path("recipe.toml") + "\"\n";
    task_.folder().write(
        "grid.toml", "[experiment]\nname = \"grid\"\noutput = \"" + path("") +
                         "\"\nseeds = [1, 2]\nmetrics = [\"accuracy\", \"loss\"]\n" +
                         "set = { \"train.epochs\" = 1, \"train.learning_rate\" = 0.003 }\n" +
                         "[[data]]\nname = \"whole\"\n" + recipe +
                         "[[data]]\nname = \"cut\"\nset = { \"data.max_tokens\" = 2 }\n" + recipe +
                         "[[variant]]\nname = \"base\"\npaper = { cut = [90] }\n" +
                         "[[variant]]\nname = \"other\"\nset = { \"model.mixer.interaction\" = \"" +
                         interaction + "\" }\n" + more);
  }

  std::vector<std::string> command(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"experiment", task_.path("grid.toml")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Outcome run(const std::vector<std::string>& more = {}) const {
    return run_program(command(more));
  }
  std::string path(const std::string& name) const {
    return (task_.folder() / output_ / name).string();
  }
  std::string content(const std::string& name) const { return content_of(path(name)); }
  const SmallTask& task() const { return task_; }

  /// All that must not depend on when the process was killed, by file.
  std::map<std::string, std::string> lasting_files() const {
    std::map<std::string, std::string> files;
    files["results.csv"] = without_last_column(content("results.csv"), ',');
    files["results.md"] = without_last_column(content("results.md"), '|');
    for (const auto& entry : fs::recursive_directory_iterator(path(""))) {
      const auto name = entry.path().filename();
      if (name == "model.safetensors" || name == "test_predictions.csv" || name == "test.json" ||
          name == "recipe.toml") {
        files[fs::relative(entry.path(), path("")).string()] = content_of(entry.path());
      }
    }
    return files;
  }

 private:
  SmallTask task_;
  std::string output_;
};

void expect_mentions(const Outcome& outcome, int code, const std::vector<std::string>& words) {
  EXPECT_EQ(outcome.code, code) << outcome.output;
  for (const auto& word : words) {
    EXPECT_NE(outcome.output.find(word), std::string::npos) << word << " in " << outcome.output;
  }
}

const std::vector<std::string> kCells = {
    "whole/base/seed-1", "whole/base/seed-2", "whole/other/seed-1", "whole/other/seed-2",
    "cut/base/seed-1",   "cut/base/seed-2",   "cut/other/seed-1",   "cut/other/seed-2"};

TEST(ExperimentCommand, TrainsEveryCellOnceAndComparesThem) {
  const SmallGrid grid;
  expect_mentions(grid.run({"--dry-run"}), 0, {"cut/other/seed-2    new", "8 cells, 8 to run"});
  EXPECT_FALSE(fs::exists(grid.path("")));
  expect_mentions(
      grid.run(), 0,
      {"0 of 8 cells are finished", "[8/8] cut/other/seed-2  accuracy", "left", "results.md"});
  for (const auto& cell : kCells) {
    for (const auto* file : {"recipe.toml", "metrics.jsonl", "test.json", "test_predictions.csv",
                             "result.json", "model/model.safetensors"}) {
      EXPECT_TRUE(fs::exists(grid.path(cell + "/" + file))) << cell << ' ' << file;
    }
    EXPECT_FALSE(fs::exists(grid.path(cell + "/checkpoints"))) << cell;
    EXPECT_FALSE(fs::exists(grid.path(cell + "/cache"))) << "the cells share one";
  }
  const auto csv = grid.content("results.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 9);
  EXPECT_EQ(csv.find("missing"), std::string::npos);
  const auto table = grid.content("results.md");
  for (const auto* word : {"## whole", "## cut", "| base | 2 | ", "p = ", "90.00 ("}) {
    EXPECT_NE(table.find(word), std::string::npos) << word << " in " << table;
  }

  // A cell is what `train` gives with the same recipe.
  auto train = grid.task().train("run");
  for (const auto* setting : {"train.epochs=1", "train.learning_rate=0.003", "train.seed=2",
                              "model.mixer.interaction=concat", "data.max_tokens=2"}) {
    train.insert(train.end(), {"--set", setting});
  }
  ASSERT_EQ(run_program(train).code, 0);
  EXPECT_EQ(grid.task().weights("run"), grid.task().weights("out/cut/other/seed-2"));
  EXPECT_EQ(content_of(grid.task().path("run/test_predictions.csv")),
            grid.content("cut/other/seed-2/test_predictions.csv"));
}

std::map<std::string, fs::file_time_type> times_of(const SmallGrid& grid) {
  std::map<std::string, fs::file_time_type> times;
  for (const auto& cell : kCells) {
    times[cell] = fs::last_write_time(grid.path(cell + "/result.json"));
  }
  return times;
}

TEST(ExperimentCommand, OnlyWhatChangedRunsAgain) {
  const SmallGrid grid;
  ASSERT_EQ(grid.run().code, 0);
  const auto first = times_of(grid);
  const auto files = grid.lasting_files();
  expect_mentions(grid.run(), 0, {"8 of 8 cells are finished, 0 remain"});
  EXPECT_EQ(times_of(grid), first);
  EXPECT_EQ(grid.lasting_files(), files);

  grid.write("add");
  expect_mentions(grid.run({"--dry-run"}), 0,
                  {"cut/base/seed-1     finished     accuracy",
                   "cut/other/seed-1    changed      runs again: `interaction = \"add\"`, was "
                   "`interaction = \"concat\"`",
                   "8 cells, 4 to run"});
  // What the file no longer describes does not count.
  expect_mentions(grid.run({"--table"}), 0, {"| other | 0 of 2 | missing |", "results.md"});
  EXPECT_NE(grid.content("results.md").find("| other | 0 of 2 | missing |"), std::string::npos);
  EXPECT_EQ(times_of(grid), first);
  expect_mentions(grid.run(), 0, {"4 of 8 cells are finished, 4 remain"});
  for (const auto& [cell, time] : times_of(grid)) {
    EXPECT_EQ(time == first.at(cell), cell.find("base") != std::string::npos) << cell;
  }
  EXPECT_NE(grid.lasting_files().at("results.csv"), files.at("results.csv"));
}

TEST(ExperimentCommand, OnlyRunsTheCellsAsked) {
  const SmallGrid grid;
  expect_mentions(grid.run({"--only", "cut/base"}), 0, {"[2/2] cut/base/seed-2"});
  const auto table = grid.content("results.md");
  EXPECT_NE(table.find("2 of 8 training runs are finished"), std::string::npos) << table;
  EXPECT_NE(table.find("| other | 0 of 2 | missing |"), std::string::npos) << table;
  EXPECT_FALSE(fs::exists(grid.path("whole")));
  expect_mentions(grid.run({"--only", "films"}), 1, {"'films'", "whole/base/seed-1"});
}

TEST(ExperimentCommand, ACellThatFailsDoesNotStopTheOthers) {
  const SmallGrid grid;
  grid.write("concat",
             "[[variant]]\nname = \"wild\"\nset = { \"train.learning_rate\" = 100, "
             "\"model.initial_deviation\" = 10, \"model.normalization\" = \"none\", "
             "\"train.epochs\" = 50 }\n");
  expect_mentions(
      grid.run({"--only", "cut"}), 1,
      {"cut/wild/seed-1  failed: the loss", "2 of 6 cells failed", "cut/other/seed-2  accuracy"});
  EXPECT_NE(grid.content("results.md").find("| wild | 0 of 2 | missing |"), std::string::npos);
  EXPECT_NE(grid.content("results.csv").find("cut,wild,1,interrupted,,,"), std::string::npos);
}

TEST(ExperimentCommand, ProcessesShareAnExperiment) {
  const SmallGrid grid;
  const auto taken = grid.path("cut/base/seed-1");
  fs::create_directories(taken);
  {
    const train::FolderLock lock(taken);
    expect_mentions(
        grid.run({"--only", "cut/base"}), 0,
        {"[1/2] cut/base/seed-1  is in use by another process, skipped",
         "[2/2] cut/base/seed-2  accuracy", "1 of 2 cells are in use by other processes"});
  }
  expect_mentions(grid.run({"--only", "cut/base"}), 0, {"1 of 2 cells are finished, 1 remain"});
}

TEST(ExperimentCommand, ASignalSavesAndTheSameCommandGoesOn) {
  const SmallGrid whole, stopped;
  ASSERT_EQ(whole.run().code, 0);
  const auto log = stopped.task().folder() / "log";
  const pid_t child = start_program(stopped.command(), log);
  const auto metrics = stopped.path("cut/base/seed-1/metrics.jsonl");
  while (content_of(metrics).size() < 300) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  kill(child, SIGINT);
  EXPECT_EQ(wait_for(child), 1);
  EXPECT_NE(content_of(log).find("run the same command again to resume"), std::string::npos)
      << content_of(log);
  EXPECT_EQ(stopped.content("results.csv").find("cut,other,1,finished"), std::string::npos);
  ASSERT_EQ(stopped.run().code, 0);
  auto expected = whole.lasting_files(), found = stopped.lasting_files();
  for (auto* files : {&expected, &found}) {
    files->erase("results.md");  // it names the file, which lies elsewhere
    std::erase_if(*files, [](const auto& file) { return file.first.ends_with("recipe.toml"); });
  }
  EXPECT_EQ(found, expected);
}

TEST(ExperimentCommand, ModelsNeedNotBeKept) {
  const SmallGrid grid;
  auto text = content_of(grid.task().path("grid.toml"));
  text.replace(text.find("seeds"), 0, "keep_models = false\n");
  grid.task().folder().write("grid.toml", text);
  ASSERT_EQ(grid.run({"--only", "cut/base/seed-1"}).code, 0);
  EXPECT_FALSE(fs::exists(grid.path("cut/base/seed-1/model")));
  EXPECT_TRUE(fs::exists(grid.path("cut/base/seed-1/result.json")));
}

TEST(ExperimentCommand, ABadGridGetsOneSentenceBeforeAnythingTrains) {
  const SmallGrid grid;
  const auto refused = [&](const std::string& more, const std::vector<std::string>& words) {
    grid.write("concat", more);
    const auto outcome = grid.run();
    expect_mentions(outcome, 1, words);
    EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << outcome.output;
    EXPECT_FALSE(fs::exists(grid.path("")));
  };
  refused("sett = 3\n", {"grid.toml:20: ", "'sett'", "did you mean 'set'"});
  refused("[[variant]]\nname = \"base\"\n", {"grid.toml:21: ", "'base'", "line 15"});
  refused("[[variant]]\nname = \"x\"\nset = { \"model.layer\" = 1 }\n",
          {"grid.toml:22: ", "'layer'", "'layers'"});
  refused("[[variant]]\nname = \"x\"\nset = { \"model.heads\" = 3 }\n",
          {"grid.toml:21: ", "'x'", "multiple of"});
  refused("[[variant]]\nname = \"x\"\nset = { \"data.train\" = \"gone.csv\" }\n",
          {"grid.toml:8: ", "'whole'", "gone.csv"});
  refused("[[data]]\nname = \"x\"\nrecipe = \"gone.toml\"\n", {"grid.toml:22: ", "gone.toml"});
  expect_mentions(run_program({"experiment", "gone.toml"}), 1, {"gone.toml"});
  expect_mentions(run_program({"experiment"}), 2, {"file"});
  expect_mentions(grid.run({"--table", "--dry-run"}), 2, {"--dry-run"});
}

TEST(ExperimentCommandSlow, KilledAtTenMomentsItEndsIdentical) {
  const SmallGrid grid;
  const auto started = std::chrono::steady_clock::now();
  ASSERT_EQ(grid.run().code, 0);
  const auto length = std::chrono::steady_clock::now() - started;
  const auto expected = grid.lasting_files();

  std::mt19937 random(20210820);
  int killed = 0;
  for (int i = 0; i < 10; ++i) {
    if (i % 5 == 0) fs::remove_all(grid.path(""));  // two whole grids, five kills each
    const pid_t child = start_program(grid.command(), grid.task().folder() / "log");
    std::this_thread::sleep_for(length * std::uniform_real_distribution<>(0.02, 0.3)(random));
    kill(child, SIGKILL);
    if (wait_for(child) == -SIGKILL) ++killed;
    if (i % 5 != 4) continue;
    const auto outcome = grid.run();
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_EQ(grid.lasting_files(), expected);
  }
  EXPECT_GE(killed, 8);
}

}  // namespace
}  // namespace fastformer::cli
