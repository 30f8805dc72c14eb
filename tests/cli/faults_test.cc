// What may happen to a run from outside: changed data, closed streams, signals, leftovers.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "cli/program.h"
#include "cli/small_clicks.h"
#include "cli/small_pairs.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

// No file of a model may hold the folder.
void expect_no_folder(const fs::path& folder, const std::string& model) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder / model)) {
    EXPECT_EQ(content_of(entry.path()).find(folder.string()), std::string::npos) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 5);
}

class Faults : public ::testing::Test {
 protected:
  // Runs the program by a shell, which closes its streams or ignores signals.
  int run_by_shell(const std::string& before, const Words& arguments, const std::string& after) {
    std::string command = before + " exec '" + program_file().string() + "'";
    for (const auto& argument : arguments) command += " '" + argument + "'";
    const int status = std::system(("bash -c \"" + command + " " + after + "\"").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // A run that was stopped after its first steps.
  void stop_early(const std::string& run, int signal = SIGTERM) {
    const pid_t child = start_program(task_.train(run), task_.folder() / "log");
    for (int i = 0; i < 30000; ++i) {
      if (content_of(task_.folder() / (run + "/metrics.jsonl")).size() >= 300) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    kill(child, signal);
    EXPECT_EQ(wait_for(child), 1);
    EXPECT_MENTIONS(content_of(task_.folder() / "log"), "use --resume");
  }
  Outcome resume(const std::string& run) {
    return run_program(with(task_.train(run), {"--resume"}));
  }
  SmallTask task_;
};

TEST_F(Faults, ARunDoesNotGoOnWithOtherData) {
  stop_early("run");
  const auto rows = content_of(task_.path("train.csv"));
  // One more document; other words, as many as before; another label.
  for (const auto& changed : {rows + "market,oil\n", std::string(rows).replace(7, 3, "gas"),
                              std::string(rows).replace(0, 6, "sport")}) {
    task_.folder().write("train.csv", changed);
    expect_refusal(resume("run"),
                   {"data.train: ", "train.csv has changed", "restore the original"});
  }
  task_.folder().write("train.csv", rows);
  EXPECT_EQ(resume("run").code, 0);
  ASSERT_EQ(run_program(task_.train("whole")).code, 0);
  EXPECT_EQ(task_.weights("run"), task_.weights("whole"));
}

TEST_F(Faults, ADamagedCacheIsMadeAgain) {
  stop_early("run");
  fs::path vocabulary;
  for (const auto& entry : fs::recursive_directory_iterator(task_.path("run/cache"))) {
    if (entry.path().filename() == "vocab.txt") vocabulary = entry.path();
  }
  const auto content = content_of(vocabulary);
  const auto at = content.find("oil"), other = content.find("cup");
  auto swapped = content;
  swapped.replace(at, 3, "cup").replace(other, 3, "oil");
  std::ofstream(vocabulary) << swapped;
  const auto resumed = resume("run");
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_MENTIONS(resumed.output, "vocab.txt: is damaged", "prepared again");
  EXPECT_EQ(content_of(vocabulary), content);
}

TEST_F(Faults, WithoutAWholeCheckpointTheRunStartsAnewAndSaysSo) {
  stop_early("run");
  int damaged = 0;
  for (const auto& entry : fs::directory_iterator(task_.path("run/checkpoints"))) {
    fs::resize_file(entry.path(), fs::file_size(entry.path()) - 1);
    ++damaged;
  }
  ASSERT_GT(damaged, 0);
  const auto resumed = resume("run");
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_MENTIONS(resumed.output, "all checkpoints are damaged; the run starts from the beginning");
  ASSERT_EQ(run_program(task_.train("whole")).code, 0);
  EXPECT_EQ(task_.weights("run"), task_.weights("whole"));
}

TEST_F(Faults, ClosedStreamsLeaveTheFilesOfARunAlone) {
  EXPECT_EQ(run_by_shell("", task_.train("run"), ">&- 2>&- <&-"), 0);
  EXPECT_EQ(content_of(task_.path("run/.lock")), "");
  const auto metrics = content_of(task_.path("run/metrics.jsonl"));
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_TRUE(line.starts_with("{\"step\"")) << line;
  }
}

TEST_F(Faults, AHangupSavesUnlessItIsIgnored) {
  signal(SIGHUP, SIG_DFL);  // a program inherits what is ignored
  stop_early("run", SIGHUP);
  EXPECT_EQ(resume("run").code, 0);
}

TEST_F(Faults, LeftoversOfKilledRunsAreRemovedAndNothingElse) {
  stop_early("run");
  const Words leftovers = {"run/checkpoints/step-000000000003.safetensors.tmp.0123456789ab",
                           "run/recipe.toml.tmp.0123456789ab"};
  const Words others = {"run/notes.tmp.txt", "run/checkpoints/mine.txt"};
  for (const auto& name : leftovers) task_.folder().write(name, "half");
  for (const auto& name : others) task_.folder().write(name, "mine");
  fs::create_directory(task_.path("run/model.old"));
  task_.folder().write("run/model.old/backup", "mine");
  EXPECT_EQ(resume("run").code, 0);
  for (const auto& name : leftovers) EXPECT_FALSE(fs::exists(task_.path(name))) << name;
  for (const auto& name : others) EXPECT_TRUE(fs::exists(task_.path(name))) << name;
  EXPECT_TRUE(fs::exists(task_.path("run/model.old/backup")));
}

TEST_F(Faults, MessagesAreOneLineOfPlainText) {
  const auto refused = run_program({"predict", "no\x1b]0;owned\a\nsuch"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_MENTIONS(refused.output, "no\\x1b]0;owned\\x07\\x0asuch");
  EXPECT_EQ(std::count(refused.output.begin(), refused.output.end(), '\n'), 1);
  task_.folder().write("train.csv", "market,oil\n\"a\x1b[2Jb\",gas\n");
  expect_refusal(run_program(task_.train("bad")), {"train.csv:2", "a\\x1b[2Jb", "control"});
}

TEST_F(Faults, EvaluationNeedsNoTemporaryFolder) {
  ASSERT_EQ(run_program(task_.train("run")).code, 0);
  const Words words = {"evaluate", task_.path("run/model"), task_.path("train.csv")};
  EXPECT_EQ(run_by_shell("export TMPDIR=/nonexistent;", words, "> /dev/null"), 0);
  fs::create_directory(task_.path("temporary"));
  EXPECT_EQ(run_by_shell("export TMPDIR=" + task_.path("temporary") + ";", words, "> /dev/null"),
            0);
  EXPECT_TRUE(fs::is_empty(task_.path("temporary")));
}

TEST_F(Faults, TooLittleMemoryNamesWhatWasTooLarge) {
  ASSERT_EQ(run_program(task_.train("run")).code, 0);
  const auto log = task_.path("log");
  const auto error_with = [&](const Words& words) {
    EXPECT_EQ(run_by_shell("ulimit -v 4000000;", words, "> " + log + " 2>&1"), 1);
    return content_of(log);
  };
  // Six gigabytes of holes, which the header accounts for.
  const auto weights = task_.path("run/model/model.safetensors");
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[6442450944],"data_offsets":[0,6442450944]}})";
  std::string length(8, '\0');
  length[0] = static_cast<char>(header.size());
  std::ofstream(weights, std::ios::binary) << length << header;
  fs::resize_file(weights, 8 + header.size() + 6'442'450'944);
  EXPECT_MENTIONS(error_with({"inspect", task_.path("run/model")}), "not enough memory for",
                  "6144 MB", "model.safetensors");
}

TEST_F(Faults, ModelsDoNotTellFolders) {
  const auto vectors = task_.folder().write("vectors.txt", "oil 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
  ASSERT_EQ(
      run_program(with(task_.train("run"), {"--set", "data.cache=" + task_.path("shared"), "--set",
                                            "train.word_vectors=" + vectors.string()}))
          .code,
      0);
  expect_no_folder(task_.folder().path(), "run/model");
  EXPECT_MENTIONS(content_of(task_.path("run/model/config.json")), "\"train.csv\"");
  EXPECT_MENTIONS(content_of(task_.path("run/model/README.md")), "\"vectors.txt\"");
  EXPECT_MENTIONS(content_of(task_.path("run/recipe.toml")), task_.path("train.csv"));
  const auto resumed = run_program(
      with(task_.train("run"), {"--resume", "--set", "data.cache=" + task_.path("shared"), "--set",
                                "train.word_vectors=" + vectors.string()}));
  EXPECT_EQ(resumed.code, 0) << resumed.output;
}

TEST_F(Faults, HostileRecordsAreRefusedByEveryCommand) {
  ASSERT_EQ(run_program(task_.train("run")).code, 0);
  const auto record = [&](const std::string& name, const std::string& value) {
    return task_.folder()
        .write(name, "{\"text\":\"oil\",\"label\":\"market\"}\n{\"text\":\"cup\",\"label\":" +
                         value + "}\n")
        .string();
  };
  const auto predict = [&](const std::string& file) {
    return run_program(
        {"predict", task_.path("run/model"), file, "--set", "data.text_columns=[\"text\"]"});
  };
  const auto deep = record("deep.jsonl", std::string(200'000, '[') + std::string(200'000, ']'));
  expect_refusal(predict(deep), {"deep.jsonl:2", "levels deep"});
  EXPECT_MENTIONS(run_program({"inspect", deep}).output, "deep.jsonl:2", "levels deep");
  const auto wide = [&](int fields) {
    std::string names = "0";
    for (int i = 0; i < fields; ++i) names += ",\"" + std::to_string(i) + "\":0";
    return record("wide.jsonl", names);
  };
  expect_refusal(predict(wide(1'000'001)), {"wide.jsonl:2", "1000000 names"});
  expect_refusal(run_program({"inspect", wide(10'000)}), {"10000 fields"});
  expect_refusal(predict(record("twice.jsonl", "1,\"label\":2")),
                 {"twice.jsonl:2", "'label'", "twice"});
  expect_refusal(predict(record("large.jsonl", "1e400")), {"large.jsonl:2", "too large"});
  expect_refusal(run_program({"train", "/dev/zero"}), {"/dev/zero", "1 MB"});
}

// A width for which the weights do not fit into any memory.
void expect_no_allocation(const fs::path& model) {
  auto config = content_of(model / "config.json");
  const std::string width = "\"width\": 8,";
  const auto at = config.find(width);
  ASSERT_NE(at, std::string::npos) << config;
  std::ofstream(model / "config.json") << config.replace(at, width.size(), "\"width\": 65536,");
  expect_refusal(run_program({"inspect", model.string()}),
                 {"model.safetensors", "has the shape", "the model expects"});
}

TEST(HostileModels, OfClicksAndPairs) {
  const SmallClicks clicks;
  ASSERT_EQ(run_program(clicks.train("run")).code, 0);
  expect_no_folder(clicks.folder().path(), "run/model");
  // Away from its run the model does not find its files, and says so.
  fs::create_directory(clicks.path("moved"));
  fs::rename(clicks.path("run/model"), clicks.path("moved/model"));
  expect_refusal(run_program({"evaluate", clicks.path("moved/model"), "--set",
                              "data.test=[\"" + clicks.path("test") + "\"]", "--set",
                              "data.news=[\"none.tsv\"]"}),
                 {"none.tsv", "does not tell its folder", "--set data.news"});
  expect_no_allocation(clicks.path("moved/model"));
  const SmallPairs pairs;
  ASSERT_EQ(run_program(pairs.train("run")).code, 0);
  expect_no_folder(pairs.folder().path(), "run/model");
  expect_no_allocation(pairs.path("run/model"));
}

}  // namespace
}  // namespace fastformer::cli
