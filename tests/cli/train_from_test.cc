#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "cli/program.h"
#include "cli/small_clicks.h"
#include "cli/small_pairs.h"
#include "fastformer/classification/classifier.h"
#include "fastformer/classification/classifier_model.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

// A model, and recipes that start from it.
class TrainFrom : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    task_ = new SmallTask;
    const auto trained = run_program(task_->train("first"));
    ASSERT_EQ(trained.code, 0) << trained.output;
  }
  static void TearDownTestSuite() { delete task_; }

  static std::string path(const std::string& name) { return task_->path(name); }
  static Words from(const std::string& run, const Words& more = {}) {
    return with(with(task_->train(run), {"--from", path("first/model")}), more);
  }
  // The rows of the first training, and others of a new class with new words.
  static std::string more_rows() {
    std::string rows = content_of(path("train.csv"));
    for (int i = 0; i < 80; ++i) {
      rows += "weather,heavy rain and thunder in town " + std::to_string(i % 17) + "\n";
    }
    return task_->folder().write("more.csv", rows).string();
  }

  inline static SmallTask* task_ = nullptr;
};

TEST_F(TrainFrom, WithoutARateTheModelStaysTheSame) {
  const auto done = run_program(from("same", {"--set", "train.learning_rate=0"}));
  ASSERT_EQ(done.code, 0) << done.output;
  EXPECT_MENTIONS(done.output, "training starts from");
  const auto first = Classifier::load(path("first/model")),
             same = Classifier::load(path("same/model"));
  EXPECT_EQ(first.labels(), same.labels());
  EXPECT_TRUE(task_->weights("first") == task_->weights("same"));
  for (const auto* text : {"oil prices fall 3 percent", "the team wins", "unheard", ""}) {
    const auto a = first.classify(text), b = same.classify(text);
    EXPECT_EQ(a.label, b.label);
    EXPECT_EQ(a.probabilities, b.probabilities) << text;
  }
}

TEST_F(TrainFrom, LabelsAndWordsAreAdded) {
  const Words data = {"--set", "data.train=[\"" + more_rows() + "\"]"};
  const auto still = run_program(from("still", with(data, {"--set", "train.learning_rate=0"})));
  ASSERT_EQ(still.code, 0) << still.output;
  const auto done = run_program(from("more", data));
  ASSERT_EQ(done.code, 0) << done.output;
  EXPECT_MENTIONS(done.output, "classifier.weight: 1 of 3 rows are new",
                  "embedding.token.weight: ");
  const auto first = Classifier::load(path("first/model")),
             more = Classifier::load(path("more/model"));
  EXPECT_EQ(more.labels(), (Words{"market", "sport", "weather"}));
  EXPECT_EQ(more.classify("thunder and rain in town").label, "weather");
  EXPECT_EQ(more.classify("oil prices fall 3 percent").label, "market");
  const auto &before = *first.runtime().frame().tokenizer,
             &after = *more.runtime().frame().tokenizer;
  ASSERT_GT(after.vocabulary_size(), before.vocabulary_size());
  for (std::int32_t id = 0; id < before.vocabulary_size(); ++id) {
    EXPECT_EQ(before.token(id), after.token(id));
  }
  std::vector<std::int32_t> ids;
  after.encode("thunder", ids);
  EXPECT_GE(ids.front(), before.vocabulary_size());
  // Rows of known words are copied; a text of known words has the vector that it had.
  const auto unchanged = Classifier::load(path("still/model"));
  const std::vector<std::string> known = {"oil prices fall 3 percent"};
  EXPECT_EQ(first.embed(known).values, unchanged.embed(known).values);
}

TEST_F(TrainFrom, LabelsWithoutRowsStay) {
  std::string rows;
  for (int i = 0; i < 60; ++i) {
    rows += i % 2 == 0 ? "market,oil prices fall\n" : "weather,heavy rain and thunder\n";
  }
  const auto file = task_->folder().write("other.csv", rows).string();
  const auto done = run_program(from("other", {"--set", "data.train=[\"" + file + "\"]"}));
  ASSERT_EQ(done.code, 0) << done.output;
  EXPECT_EQ(Classifier::load(path("other/model")).labels(), (Words{"market", "sport", "weather"}));
}

TEST_F(TrainFrom, ResumedItEndsIdentical) {
  const Words data = {"--set", "data.train=[\"" + more_rows() + "\"]"};
  ASSERT_EQ(run_program(from("whole", data)).code, 0);
  const pid_t child = start_program(from("killed", data), task_->folder() / "log");
  while (content_of(path("killed/metrics.jsonl")).size() < 1200) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  kill(child, SIGKILL);
  wait_for(child);
  const auto resumed = run_program(from("killed", with(data, {"--resume"})));
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_TRUE(task_->weights("killed") == task_->weights("whole"));
}

TEST_F(TrainFrom, ARunKeepsTheModelThatItBeganWith) {
  fs::copy(path("first/model"), path("copy"));
  const auto run = [&](const Words& more) {
    return run_program(with(with(task_->train("kept"), {"--from", path("copy")}), more));
  };
  ASSERT_EQ(run({}).code, 0);
  expect_refusal(run_program(with(task_->train("kept"), {"--resume"})), {"from = ", "same recipe"});
  const auto other = run_program(with(task_->train("seed2"), {"--set", "train.seed=2"}));
  ASSERT_EQ(other.code, 0);
  fs::copy(path("seed2/model/model.safetensors"), path("copy/model.safetensors"),
           fs::copy_options::overwrite_existing);
  expect_refusal(run({"--resume"}), {"train.from", "copy has changed", "the starting model"});
  fs::remove_all(path("copy"));
  expect_refusal(run({"--resume"}), {"copy"});
}

TEST_F(TrainFrom, AnotherArchitectureIsRefusedByItsField) {
  const auto refused = [&](const std::string& setting, const Words& words) {
    fs::remove_all(path("bad"));
    expect_refusal(run_program(from("bad", {"--set", setting})), words);
    EXPECT_FALSE(fs::exists(path("bad/recipe.toml")));
  };
  refused("model.width=32", {"model.width = 16", "has 32"});
  refused("model.mixer=softmax", {"model.mixer."});
  refused("model.bigram_buckets=0", {"model.bigram_buckets = 512", "has 0"});
  refused("text.lowercase=false", {"text.lowercase = true", "has false"});
  expect_refusal(run_program(with(task_->train("bad"), {"--from", path("first")})),
                 {"is a run directory"});
  expect_refusal(run_program(with(task_->train("bad"), {"--from", path("nowhere")})),
                 {"not a model directory"});
  EXPECT_EQ(run_program(
                from("dropout", {"--set", "model.token_dropout=0.3", "--set", "train.max_steps=1"}))
                .code,
            0)
      << "dropout may differ";
}

TEST(TrainFromOthers, ARecommenderLearnsNewWords) {
  const SmallClicks clicks;
  ASSERT_EQ(run_program(clicks.train("first")).code, 0);
  const Words from = {"--from", clicks.path("first/model")};
  const auto same =
      run_program(with(with(clicks.train("same"), from), {"--set", "train.learning_rate=0"}));
  ASSERT_EQ(same.code, 0) << same.output;
  EXPECT_TRUE(clicks.content("same/model/model.safetensors") ==
              clicks.content("first/model/model.safetensors"));
  std::ofstream(clicks.path("train/news.tsv"), std::ios::app)
      << "N1\tnews\tnone\tunheard words\tabstract\thttps://example.org\t[]\t[]\n";
  const auto more = run_program(with(clicks.train("more"), from));
  ASSERT_EQ(more.code, 0) << more.output;
  EXPECT_MENTIONS(more.output, "embedding.token.weight: 2 of ");
  expect_refusal(run_program(with(with(clicks.train("bad"), from), {"--set", "model.width=4"})),
                 {"model.width = 8", "has 4"});
  const SmallTask task;
  ASSERT_EQ(run_program(with(task.train("run"), {"--set", "train.max_steps=1"})).code, 0);
  expect_refusal(run_program(with(clicks.train("bad2"), {"--from", task.path("run/model")})),
                 {"is the model of a classifier", "recommender"});
}

TEST(TrainFromOthers, ASummarizerLearnsNewWords) {
  const SmallPairs pairs;
  ASSERT_EQ(run_program(pairs.train("first")).code, 0);
  const auto same = run_program(with(pairs.train("same"), {"--from", pairs.path("first/model"),
                                                           "--set", "train.learning_rate=0"}));
  ASSERT_EQ(same.code, 0) << same.output;
  EXPECT_TRUE(content_of(pairs.path("same/model/model.safetensors")) ==
              content_of(pairs.path("first/model/model.safetensors")));
  std::ofstream(pairs.path("train.jsonl"), std::ios::app)
      << R"({"source": "Unheard . Rain falls 3 times .", "target": "rain falls 3"})" << '\n';
  const auto more = run_program(with(pairs.train("more"), {"--from", pairs.path("first/model")}));
  ASSERT_EQ(more.code, 0) << more.output;
  EXPECT_MENTIONS(more.output, "embedding.token.weight: 2 of ", "output.bias: 2 of ");
}

}  // namespace
}  // namespace fastformer::cli
