#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "support/temporary_folder.h"

namespace fastformer::cli {

/// What a run of the program left: its exit code (negative: the signal that ended it) and all that
/// it printed.
struct Outcome {
  int code;
  std::string output;
};

/// The program under test: that of this build, or FASTFORMER_TEST_PROGRAM, as an installed one.
inline std::filesystem::path program_file() {
  const char* installed = std::getenv("FASTFORMER_TEST_PROGRAM");
  return installed ? installed : FASTFORMER_PROGRAM;
}

/// Starts an executable file with both of its outputs in `log`.
inline pid_t start_file(const std::filesystem::path& file,
                        const std::vector<std::string>& arguments, const std::filesystem::path& log,
                        const std::filesystem::path& input) {
  const pid_t child = fork();
  if (child != 0) return child;
  std::vector<char*> words = {const_cast<char*>(file.c_str())};
  for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  if (std::freopen(input.c_str(), "r", stdin) == nullptr) _exit(127);
  if (std::freopen(log.c_str(), "w", stdout) == nullptr) _exit(127);
  dup2(STDOUT_FILENO, STDERR_FILENO);
  execv(file.c_str(), words.data());
  _exit(127);
}

/// The same with the program.
inline pid_t start_program(const std::vector<std::string>& arguments,
                           const std::filesystem::path& log,
                           const std::filesystem::path& input = "/dev/null") {
  return start_file(program_file(), arguments, log, input);
}

inline int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline Outcome run_program(const std::vector<std::string>& arguments,
                           const std::string& input = "") {
  const testing::TemporaryFolder folder;
  const auto log = folder / "log";
  const int code = wait_for(start_program(arguments, log, folder.write("input", input)));
  return {code, content_of(log)};
}

/// Runs build/release/bin/examples/<name>, or <name> of the folder FASTFORMER_TEST_EXAMPLES.
inline Outcome run_example(const std::string& name, const std::vector<std::string>& arguments) {
  const testing::TemporaryFolder folder;
  const char* installed = std::getenv("FASTFORMER_TEST_EXAMPLES");
  const auto file = std::filesystem::path(installed ? installed : FASTFORMER_EXAMPLES) / name;
  const int code = wait_for(start_file(file, arguments, folder / "log", "/dev/null"));
  return {code, content_of(folder / "log")};
}

using Words = std::vector<std::string>;

inline Words with(Words arguments, const Words& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// Bad input: exit code 1, and one sentence with these words in it.
inline void expect_refusal(const Outcome& outcome, const Words& words) {
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << outcome.output;
  EXPECT_MENTIONS(outcome.output, "fastformer: ");
  for (const auto& word : words) EXPECT_MENTIONS(outcome.output, word);
}

/// A training that is stopped or killed once it has logged so many bytes, and resumed, ends as one
/// that was left alone. `Task` has train(), content(), folder() and results() of a run.
template <class Task>
void expect_resumable(const Task& task, std::size_t logged) {
  ASSERT_EQ(run_program(task.train("whole")).code, 0);
  const auto expected = task.results("whole");
  for (const int signal : {SIGTERM, SIGKILL}) {
    const auto run = "stopped" + std::to_string(signal);
    const pid_t child = start_program(task.train(run), task.folder() / "log");
    while (task.content(run + "/metrics.jsonl").size() < logged) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    kill(child, signal);
    wait_for(child);
    const auto resumed = run_program(with(task.train(run), {"--resume"}));
    EXPECT_EQ(resumed.code, 0) << resumed.output;
    EXPECT_TRUE(task.results(run) == expected) << "signal " << signal;
  }
}

/// A small data set of two topics and a recipe that trains on it within seconds.
class SmallTask {
 public:
  SmallTask() {
    std::string rows;
    for (int i = 0; i < 240; ++i) {
      const std::string n = std::to_string(i % 17);
      rows += i % 2 == 0 ? "market,oil prices fall " + n + " percent\n"
                         : "sport,the team wins match " + n + " of the cup\n";
    }
    folder_.write("train.csv", rows);
    folder_.write("recipe.toml",
                  "[data]\nheader = \"no\"\ntrain = [\"" + path("train.csv") +
                      "\"]\ntext_columns = [\"2\"]\nlabel_column = \"1\"\n"
                      "validation_fraction = 0.2\ntest_fraction = 0.2\n"
                      "[model]\nwidth = 16\nheads = 2\nffn_width = 16\nbigram_buckets = 512\n"
                      "token_dropout = 0.1\n"
                      "[train]\nbatch_size = 8\nepochs = 3\nlearning_rate = 0.01\nthreads = 1\n"
                      "checkpoint_every = 3\nlog_every = 1\n");
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  const testing::TemporaryFolder& folder() const { return folder_; }
  std::vector<std::string> train(const std::string& run) const {
    return {"train", path("recipe.toml"), "--output", path(run)};
  }
  std::string weights(const std::string& run) const {
    return content_of(folder_ / (run + "/model/model.safetensors"));
  }

 private:
  testing::TemporaryFolder folder_;
};

}  // namespace fastformer::cli
