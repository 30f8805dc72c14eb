// Files of a run that someone else has written.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/train/checkpoint.h"
#include "fastformer/train/prepared_record.h"
#include "fastformer/train/run_directory.h"
#include "support/temporary_folder.h"

namespace fastformer::train {
namespace {

class EmptyRecipe final : public Recipe {
 public:
  std::string task() const override { return "none"; }
  Measures measures() const override { return Measures::of({"accuracy"}, "documents"); }
  base::ConfigTree tree() const override {
    base::ConfigTree tree;
    tree.set("task.name=none");
    return tree;
  }
  std::vector<RecipeSource> sources() const override { return {}; }
  bool has_test_part() const override { return false; }
  std::unique_ptr<Task> open(const std::filesystem::path&, const data::Notice&) const override {
    return nullptr;
  }
  void check_model() const override {}
  nn::ParameterMap largest_model() const override { return {}; }
};

class HostileRun : public ::testing::Test {
 protected:
  HostileRun() {
    RunDirectory run(folder_.path(), recipe_, /*resume=*/false);
    run.set_prepared({});
    run.begin(0);
  }
  // What is left of metrics.jsonl when the run is resumed at a step.
  std::string resumed(const std::string& metrics, std::int64_t step) {
    folder_.write("metrics.jsonl", metrics);
    RunDirectory run(folder_.path(), recipe_, /*resume=*/true);
    run.set_prepared({});
    run.begin(step);
    return base::read_file(folder_ / "metrics.jsonl");
  }
  EmptyRecipe recipe_;
  testing::TemporaryFolder folder_;
};

TEST_F(HostileRun, LinesOfTheLogThatAreNoneEndIt) {
  const std::string good = "{\"step\":1}\n";
  for (const auto* bad : {"{\"step\":\"x\"}\n", "{\"step\":[1]}\n", "{\"step\":1e400}\n", "[]\n",
                          "{\"step\":2}\n", "{\"st"}) {
    EXPECT_EQ(resumed(good + bad + good, 1), good) << bad;
  }
  EXPECT_EQ(resumed(good + std::string(200'000, '['), 1), good);
}

TEST_F(HostileRun, PipesAreNoFilesOfARun) {
  for (const auto* name : {"metrics.jsonl", "recipe.toml"}) {
    const auto path = folder_ / name;
    const auto content = base::read_file(path);
    std::filesystem::remove(path);
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    EXPECT_MENTIONS(testing::error_of([&] {
                      RunDirectory run(folder_.path(), recipe_, /*resume=*/true);
                      run.set_prepared({});
                      run.begin(0);
                    }),
                    name, "not a regular file");
    std::filesystem::remove(path);
    folder_.write(name, content);
  }
}

TEST(HostileCheckpoint, ARightChecksumDoesNotVouchForTheTypes) {
  const testing::TemporaryFolder folder;
  CheckpointFolder checkpoints(folder.path());
  const nn::ParameterMap weights = {{"w", at::ones({2})}};
  checkpoints.save({.state = {.step = 1}, .weights = weights, .optimizer = {}});
  checkpoints.save({.state = {.step = 2}, .weights = weights, .optimizer = {}});
  const auto path = checkpoints.newest();
  const auto whole = nn::load_tensors(path).tensors;
  const std::vector<std::pair<std::string, at::Tensor>> changes = {
      {"best_metric", at::ones({2}, at::kDouble)}, {"best_metric", at::ones({0}, at::kDouble)},
      {"best_loss", at::ones({3}, at::kDouble)},   {"seconds", at::ones({2}, at::kDouble)},
      {"state", at::ones({5}, at::kDouble)},       {"state", at::ones({4}, at::kLong)}};
  for (const auto& [name, value] : changes) {
    auto tensors = whole;
    tensors[name] = value;
    nn::save_tensors(path, tensors, {{"checksum", std::to_string(checksum_of(tensors))}});
    std::string notices;
    const auto found =
        checkpoints.load_newest([&](const std::string& notice) { notices += notice; });
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(found->state.step, 1) << name;
    EXPECT_MENTIONS(notices, "step-000000000002", "using the previous checkpoint");
  }
}

}  // namespace
}  // namespace fastformer::train
