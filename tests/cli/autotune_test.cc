#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "cli/program.h"
#include "support/temporary_folder.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

const Words kSmall = {"--set", "model.width=8",           "--set", "model.heads=2",
                      "--set", "model.bigram_buckets=64", "--set", "train.threads=1"};

class AutotuneCommand : public ::testing::Test {
 protected:
  // Columns of any names, in any order.
  std::string rows(int count) const {
    std::string text = "id,topic,body\n";
    for (int i = 0; i < count; ++i) {
      const bool market = i % 2 == 0;
      text += std::to_string(i) +
              (market ? ",market,the oil price falls by " : ",sport,the team wins ") +
              std::to_string(i % 37) + (market ? " percent today\n" : " games this season\n");
    }
    return folder_.write("rows.csv", text).string();
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  testing::TemporaryFolder folder_;
};

TEST_F(AutotuneCommand, FindsTheColumnsAndSavesAModelWithItsRecipe) {
  const auto done = run_program(
      with({"autotune", rows(400), "--output", path("out"), "--time", "2s", "--test", rows(400)},
           kSmall));
  ASSERT_EQ(done.code, 0) << done.output;
  EXPECT_MENTIONS(done.output, "trial 1  base", "on the validation part", "accuracy", "model ");
  const auto leaderboard = content_of(folder_ / "out/leaderboard.csv");
  EXPECT_TRUE(leaderboard.starts_with("candidate,steps,seconds,loss,accuracy\nbase,"))
      << leaderboard;
  const auto answer =
      run_program({"predict", path("out/model")}, "oil price up\nthe team wins again\n");
  EXPECT_MENTIONS(answer.output, "market\t", "sport\t");

  // The recipe gives the same model.
  const auto again = run_program({"train", path("out/recipe.toml"), "--output", path("again")});
  ASSERT_EQ(again.code, 0) << again.output;
  for (const auto* file : {"model/model.safetensors", "model/linear.safetensors"}) {
    EXPECT_TRUE(content_of(folder_ / "out" / file) == content_of(folder_ / "again" / file)) << file;
  }
}

TEST_F(AutotuneCommand, AModelThatIsTooLargeIsQuantized) {
  const auto file = rows(400);
  const auto size = std::string("30kB");
  const auto done = run_program(with(
      {"autotune", file, "--output", path("out"), "--time", "1s", "--test", file, "--size", size},
      kSmall));
  ASSERT_EQ(done.code, 0) << done.output;
  EXPECT_MENTIONS(done.output, "the model is quantized", "accuracy");
  const auto bytes = fs::file_size(folder_ / "out/model/model.safetensors") +
                     fs::file_size(folder_ / "out/model/linear.safetensors");
  EXPECT_LE(bytes, 30'000U);
  EXPECT_FALSE(fs::exists(folder_ / "out/small_model"));
  // The figures are those of the saved model.
  const auto evaluated = run_program({"evaluate", path("out/model"), file, "--json"});
  EXPECT_EQ(evaluated.output, content_of(folder_ / "out/test.json"));

  const auto failed = run_program(
      with({"autotune", file, "--output", path("tiny"), "--time", "1s", "--size", "10"}, kSmall));
  EXPECT_EQ(failed.code, 1);
  EXPECT_MENTIONS(failed.output, "of 10 bytes is not possible", "the model without the limit");
  EXPECT_MENTIONS(run_program({"predict", path("tiny/model")}, "oil price up\n").output, "market");
}

TEST_F(AutotuneCommand, ARecipeOrFlagsNameTheColumns) {
  rows(300);
  const auto recipe =
      folder_.write("data.toml", "[data]\nformat = \"csv\"\ntrain = [\"" + path("rows.csv") +
                                     "\"]\ntext_columns = [\"body\"]\nlabel_column = \"id\"\n"
                                     "validation_fraction = 0.2\n");
  const auto done =
      run_program(with({"autotune", recipe.string(), "--output", path("out"), "--time", "1s",
                        "--label-column", "topic", "--metric", "macro_f1"},
                       kSmall));
  ASSERT_EQ(done.code, 0) << done.output;
  EXPECT_MENTIONS(done.output, "macro_f1 ");
  EXPECT_MENTIONS(content_of(folder_ / "out/recipe.toml"), "label_column = \"topic\"",
                  "metric = \"macro_f1\"");
}

TEST_F(AutotuneCommand, RefusesWhatItCannotDo) {
  const auto file = rows(40);
  const auto refusal = [&](const std::string& data, const Words& more = {}) {
    return run_program(with({"autotune", data, "--output", path("out")}, more));
  };
  EXPECT_EQ(refusal(file, {"--time", "soon"}).code, 2);
  expect_refusal(refusal(file, {"--set", "train.max_minutes=1"}), {"train.max_minutes", "time"});
  EXPECT_EQ(refusal(file, {"--time", "5d"}).code, 2);
  expect_refusal(refusal(path("gone.csv")), {"gone.csv", "does not exist"});
  expect_refusal(refusal(folder_.write("numbers.csv", "a,b\n1,2\n3,4\n").string()),
                 {"numbers.csv", "[data]"});
  EXPECT_MENTIONS(refusal(file, {"--metric", "acuracy"}).output, "accuracy");
  fs::create_directories(folder_ / "out/model");
  expect_refusal(refusal(file), {"out", "has a model already"});
}

}  // namespace
}  // namespace fastformer::cli
