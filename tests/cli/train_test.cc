#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "cli/program.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

class TrainCommand : public ::testing::Test {
 protected:
  void expect_refusal(const Outcome& outcome, const std::vector<std::string>& words, int code = 1) {
    EXPECT_EQ(outcome.code, code) << outcome.output;
    for (const auto& word : words) {
      EXPECT_NE(outcome.output.find(word), std::string::npos) << word << " in " << outcome.output;
    }
  }
  SmallTask task_;
};

TEST_F(TrainCommand, TrainsEvaluatesPredictsExplainsInspectsConverts) {
  const auto trained = run_program(task_.train("run"));
  ASSERT_EQ(trained.code, 0) << trained.output;
  EXPECT_NE(trained.output.find("macro-F1"), std::string::npos);
  for (const auto* file : {"recipe.toml", "metrics.jsonl", "test.json", "model/config.json",
                           "model/model.safetensors", "model/README.md", "model/tokenizer.json"}) {
    EXPECT_TRUE(fs::exists(task_.path(std::string("run/") + file))) << file;
  }
  const auto model = task_.path("run/model");
  const auto evaluated = run_program({"evaluate", model, task_.path("train.csv")});
  EXPECT_EQ(evaluated.code, 0) << evaluated.output;
  EXPECT_NE(evaluated.output.find("accuracy 1.0000"), std::string::npos) << evaluated.output;
  EXPECT_NE(run_program({"evaluate", model, task_.path("train.csv"), "--json"})
                .output.find("\"confusion\""),
            std::string::npos);

  const auto predicted = run_program({"predict", model}, "oil prices\n\nthe team wins\n");
  EXPECT_EQ(std::count(predicted.output.begin(), predicted.output.end(), '\n'), 3);
  EXPECT_TRUE(predicted.output.starts_with("market\t")) << predicted.output;
  const auto explained = run_program({"predict", model, "--explain", "--json"}, "oil prices\n");
  EXPECT_NE(explained.output.find("\"pooling\""), std::string::npos) << explained.output;
  EXPECT_NE(run_program({"predict", model, "--explain"}, "oil prices\n").output.find("alpha 1"),
            std::string::npos);
  const auto from_csv = run_program({"predict", model, task_.path("train.csv"), "--format", "csv"});
  EXPECT_EQ(std::count(from_csv.output.begin(), from_csv.output.end(), '\n'), 240);

  EXPECT_MENTIONS(run_program({"inspect", model}).output, "parameters ", "kind classifier\n",
                  "encoder additive, layers 2, width 16, heads 2\n", "classes 2\n  market\n");
  EXPECT_NE(run_program({"inspect", task_.path("recipe.toml")}).output.find("[train]"),
            std::string::npos);
  const auto data =
      run_program({"inspect", task_.path("train.csv"), "--set", "data.text_columns=[\"2\"]",
                   "--set", "data.label_column=\"1\"", "--set", "data.header=no"});
  EXPECT_NE(data.output.find("rows 240"), std::string::npos) << data.output;
  EXPECT_EQ(run_program({"export", task_.path("recipe.toml"), task_.path("parts")}).code, 0);
  EXPECT_TRUE(fs::exists(task_.path("parts/validation.tsv")));
  // The pairs have no name in the published code.
  expect_refusal(run_program({"convert", "export", model, task_.path("state.safetensors")}),
                 {"embedding.bigram", "no counterpart"});
}

TEST_F(TrainCommand, WeightsGoOutAndInUnderTheAuthorsNames) {
  ASSERT_EQ(run_program(with(task_.train("run"), {"--set", "model.bigram_buckets=0"})).code, 0);
  const auto model = task_.path("run/model"), state = task_.path("state.safetensors");
  ASSERT_EQ(run_program({"convert", "export", model, state}).code, 0);
  ASSERT_EQ(run_program({"convert", "import", state, model, task_.path("run2/model")}).code, 0);
  EXPECT_EQ(task_.weights("run"), task_.weights("run2"));
}

TEST_F(TrainCommand, ARunThatDoesNotBeginLeavesNothing) {
  const Words wrong = {"--set", "data.label_column=\"9\""};
  expect_refusal(run_program(with(task_.train("new"), wrong)), {"train.csv:1", "no column 9"});
  EXPECT_FALSE(fs::exists(task_.path("new")));
  fs::create_directory(task_.path("mine"));
  expect_refusal(run_program(with(task_.train("mine"), wrong)), {"no column 9"});
  EXPECT_TRUE(fs::exists(task_.path("mine")));
}

TEST_F(TrainCommand, OneSeedGivesOneModel) {
  ASSERT_EQ(run_program(task_.train("a")).code, 0);
  ASSERT_EQ(run_program(task_.train("b")).code, 0);
  ASSERT_FALSE(task_.weights("a").empty());
  EXPECT_EQ(task_.weights("a"), task_.weights("b"));
  ASSERT_EQ(run_program(with(task_.train("c"), {"--set", "train.seed=2"})).code, 0);
  EXPECT_NE(task_.weights("a"), task_.weights("c"));
}

TEST_F(TrainCommand, ASignalSavesAndResumeEndsWhereItWouldHaveEnded) {
  ASSERT_EQ(run_program(task_.train("whole")).code, 0);
  for (const int signal : {SIGTERM, SIGINT}) {
    const auto run = "stopped" + std::to_string(signal);
    const auto log = task_.folder() / "log";
    const pid_t child = start_program(task_.train(run), log);
    while (content_of(task_.folder() / (run + "/metrics.jsonl")).size() < 300) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    kill(child, signal);
    const int code = wait_for(child);
    EXPECT_GE(code, 0);
    if (code == 1) {
      EXPECT_NE(content_of(log).find("use --resume"), std::string::npos);
    }
    const auto resumed = run_program(with(task_.train(run), {"--resume"}));
    EXPECT_EQ(resumed.code, 0) << resumed.output;
    EXPECT_EQ(task_.weights(run), task_.weights("whole"));
  }
}

TEST_F(TrainCommand, ACorruptCheckpointFallsBackToTheOneBefore) {
  ASSERT_EQ(run_program(task_.train("run")).code, 0);
  const auto before = task_.weights("run");
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(task_.path("run/checkpoints"))) {
    if (entry.path().stem().string().starts_with("step")) files.push_back(entry.path());
  }
  ASSERT_EQ(files.size(), 2u);
  const auto newest = *std::max_element(files.begin(), files.end());
  {
    std::fstream file(newest, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-40, std::ios::end);
    file.write("damaged!", 8);
  }
  const auto resumed = run_program(with(task_.train("run"), {"--resume"}));
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_NE(resumed.output.find("using the previous checkpoint"), std::string::npos);
  EXPECT_EQ(task_.weights("run"), before);
}

TEST_F(TrainCommand, BadInputGetsOneSentence) {
  const auto train = task_.train("run");
  expect_refusal(run_program({"train", "missing.toml"}), {"missing.toml"});
  expect_refusal(run_program({"train"}), {"recipe"}, 2);
  expect_refusal(run_program({"train", "--no-such-flag"}), {}, 2);
  expect_refusal(run_program(with(train, {"--set", "train.epoks=3"})), {"did you mean 'epochs'"});
  expect_refusal(run_program(with(train, {"--set", "train.epochs=-1"})), {"train.epochs"});
  expect_refusal(run_program(with(train, {"--set", "train.epochs=many"})), {"train.epochs"});
  expect_refusal(run_program(with(train, {"--resume"})), {"no run to resume"});
  expect_refusal(
      run_program(with(task_.train("nan"),
                       {"--set", "train.learning_rate=100", "--set", "model.initial_deviation=10",
                        "--set", "model.normalization=none", "--set", "train.epochs=50"})),
      {"step", "learning rate", "checkpoint"});
  const auto useless = run_program(with(
      task_.train("useless"), {"--set", "train.learning_rate=100", "--set", "train.epochs=5"}));
  expect_refusal(useless, {"worse than guessing", "lower train.learning_rate"}, 0);
  ASSERT_EQ(run_program(with(train, {"--set", "train.max_steps=2"})).code, 0);
  expect_refusal(run_program(train), {"already contains a run", "--resume"});
  expect_refusal(run_program(with(train, {"--resume"})),
                 {"max_steps", "same recipe", "--from " + task_.path("run/model")});
  expect_refusal(run_program({"predict", task_.path("nowhere")}), {"not a model directory"});
  expect_refusal(run_program({"evaluate", task_.path("run/model"), task_.path("gone.csv")}),
                 {"gone.csv"});
}

TEST_F(TrainCommand, BadDataGetsOneSentence) {
  const auto refused = [&](const std::string& rows, const std::vector<std::string>& words) {
    task_.folder().write("train.csv", rows);
    fs::remove_all(task_.path("bad"));
    expect_refusal(run_program(task_.train("bad")), words);
  };
  refused("", {"train.csv"});
  refused("market,oil\nsport\n", {"train.csv:2"});
  refused("market,oil\nsport,\"cup\n", {"train.csv:2"});
  refused("market,oil\nsport,\xff\xfe\n", {"train.csv:2", "UTF-8"});
  refused(std::string("market,oil\nsport,a\0b\n", 21), {"train.csv:2"});
  refused("market,oil\nmarket,gas\nmarket,coal\n", {"class"});
}

TEST_F(TrainCommand, DataAreFilesThatCanBeReadTwice) {
  const auto from = [&](const std::string& source, const std::string& run) {
    return run_program(with(task_.train(run), {"--set", "data.train=[\"" + source + "\"]", "--set",
                                               "train.max_steps=2"}));
  };
  expect_refusal(from("-", "bad"), {"standard input", "only once"});
  ASSERT_EQ(mkfifo(task_.path("pipe").c_str(), 0600), 0);
  expect_refusal(from(task_.path("pipe"), "bad"), {"pipe", "neither a file nor a folder"});
  expect_refusal(from("gone/train.csv", "bad"),
                 {"gone/train.csv: does not exist", "relative to the working directory"});
  const auto absolute = from(task_.path("gone.csv"), "bad");
  expect_refusal(absolute, {"gone.csv: does not exist"});
  EXPECT_EQ(absolute.output.find("working directory"), std::string::npos) << absolute.output;
  EXPECT_FALSE(fs::exists(task_.path("bad")));
  fs::create_symlink(task_.path("train.csv"), task_.path("link.csv"));
  const auto linked = from(task_.path("link.csv"), "linked");
  EXPECT_EQ(linked.code, 0) << linked.output;
  ASSERT_EQ(from(task_.path("train.csv"), "plain").code, 0);
  EXPECT_EQ(task_.weights("linked"), task_.weights("plain"));
}

TEST_F(TrainCommand, TestPredictionsNameRowsAndClasses) {
  ASSERT_EQ(run_program(task_.train("run")).code, 0);
  std::istringstream lines(content_of(task_.folder() / "run/test_predictions.csv"));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "label_number,predicted_number,row,label,predicted,probability");
  const Words names = {"market", "sport"};
  int count = 0;
  for (; std::getline(lines, line); ++count) {
    Words cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    ASSERT_EQ(cells.size(), 6u) << line;
    const auto number = std::stoul(cells[2]);
    EXPECT_TRUE(number >= 1 && number <= 240) << line;
    EXPECT_EQ(cells[3], names[(number - 1) % 2]) << line;
    EXPECT_EQ(cells[3], names.at(std::stoul(cells[0]))) << line;
    EXPECT_EQ(cells[4], names.at(std::stoul(cells[1]))) << line;
    const auto probability = std::stod(cells[5]);
    EXPECT_TRUE(probability >= 0.5 && probability <= 1) << line;
  }
  EXPECT_EQ(count, 48);
}

TEST_F(TrainCommand, AFullDiskLosesNothing) {
  ASSERT_EQ(run_program(task_.train("whole")).code, 0);
  // No file may grow beyond 60 kB: a checkpoint fails where a full disk would make it fail.
  const auto command = "ulimit -f 60; trap '' XFSZ; exec '" + program_file().string() +
                       "' train '" + task_.path("recipe.toml") + "' --output '" +
                       task_.path("full") + "' >'" + task_.path("log") + "' 2>&1";
  EXPECT_NE(std::system(("bash -c \"" + command + "\"").c_str()), 0);
  EXPECT_NE(content_of(task_.folder() / "log").find("safetensors"), std::string::npos)
      << content_of(task_.folder() / "log");
  const auto resumed = run_program(with(task_.train("full"), {"--resume"}));
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(task_.weights("full"), task_.weights("whole"));
}

TEST(TrainCommandSlow, KilledAtTenMomentsAndResumedItEndsIdentical) {
  const SmallTask task;
  const auto started = std::chrono::steady_clock::now();
  ASSERT_EQ(run_program(task.train("whole")).code, 0);
  const auto length = std::chrono::steady_clock::now() - started;
  auto command = task.train("killed");
  int killed = 0;
  for (int i = 0; i < 10; ++i) {
    const pid_t child = start_program(command, task.folder() / "log");
    // Spread over start-up, training and the writing of checkpoints and the model.
    std::this_thread::sleep_for(length * (2 * i + 1) / 20);
    kill(child, SIGKILL);
    killed += wait_for(child) == -SIGKILL ? 1 : 0;
    if (fs::exists(task.path("killed/recipe.toml")))
      command = with(task.train("killed"), {"--resume"});
  }
  EXPECT_GT(killed, 0);
  const auto resumed = run_program(command);
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(task.weights("killed"), task.weights("whole"));
}

TEST(WordVectors, TheEmbeddingStartsFromThem) {
  const SmallTask task;
  std::string line = "oil";
  for (int i = 0; i < 16; ++i) line += " 0.5";
  task.folder().write("vectors.txt", line + "\n");
  auto command = task.train("run");
  for (const auto& setting :
       {"train.word_vectors=" + task.path("vectors.txt"), std::string("train.learning_rate=0")}) {
    command.insert(command.end(), {"--set", setting});
  }
  const auto outcome = run_program(command);
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("vectors.txt has 1 of "), std::string::npos) << outcome.output;
  std::string halves;
  for (int i = 0; i < 16; ++i) halves += std::string("\0\0\0\x3f", 4);  // 0.5f
  EXPECT_NE(task.weights("run").find(halves), std::string::npos);
}

TEST(Fields, TheDocumentedOnesAreThoseOfTheProgram) {
  EXPECT_EQ(run_program({"fields"}).output,
            content_of(fs::path(FASTFORMER_SOURCE_DIR) / "docs/recipes.md"))
      << "run: build/release/bin/fastformer fields > docs/recipes.md";
}

TEST(Completions, NameEveryCommand) {
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    const auto outcome = run_program({"completions", shell});
    EXPECT_EQ(outcome.code, 0);
    for (const auto* name : {"train", "experiment", "evaluate", "predict", "recommend", "summarize",
                             "inspect", "convert", "export"}) {
      EXPECT_NE(outcome.output.find(name), std::string::npos) << shell << ' ' << name;
    }
  }
  EXPECT_EQ(run_program({"completions", "csh"}).code, 2);
}

TEST(Completions, NameValuesAndFields) {
  const testing::TemporaryFolder folder;
  const auto script = folder.path() / "completions";
  std::ofstream(script) << run_program({"completions", "bash"}).output;
  const auto completed = [&](const std::string& words, const std::string& begun) {
    const auto command =
        "bash -c 'source \"$0\"; COMP_WORDS=(fastformer " + words + " \"" + begun +
        "\"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _fastformer; echo \"${COMPREPLY[@]}\"' " +
        script.string();
    std::string output;
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    for (int c = 0; (c = fgetc(pipe.get())) != EOF;) output += static_cast<char>(c);
    return output;
  };
  EXPECT_EQ(completed("predict --precision", "b"), "bf16\n");
  EXPECT_EQ(completed("train --set", "train.max_m"), "train.max_minutes=\n");
  EXPECT_EQ(completed("train", "--resu"), "--resume\n");
  EXPECT_EQ(completed("", "tra"), "train\n");
}

TEST(Program, RefusesAnInstructionSetItDoesNotHave) {
  setenv("FASTFORMER_SIMD", "AVX9", 1);
  const auto outcome = run_program({"fields"});
  unsetenv("FASTFORMER_SIMD");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.output.find("'AVX9'"), std::string::npos) << outcome.output;
}

TEST(Program, RefusesAPrecisionItDoesNotKnow) {
  const auto outcome = run_program({"evaluate", "model", "data", "--precision", "fp16"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.output.find("bf16"), std::string::npos) << outcome.output;
}

TEST(Program, WithoutACommandItSaysHowToUseIt) {
  EXPECT_EQ(run_program({"--help"}).code, 0);
  EXPECT_EQ(run_program({}).code, 2);
}

}  // namespace
}  // namespace fastformer::cli
