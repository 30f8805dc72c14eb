#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "classification/small_recipe.h"
#include "fastformer/base/atomic_file.h"
#include "fastformer/classification/classifier.h"
#include "fastformer/classification/training.h"
#include "fastformer/train/training_run.h"
#include "support/temporary_folder.h"

namespace fastformer::classification {
namespace {

constexpr int kWords = 20;

std::string word(int i) { return "word" + std::string(1, static_cast<char>('a' + i)); }
std::string label(int i) { return i % 2 == 0 ? "pos" : "neg"; }

// In the training part each word is in two texts of the wrong class, in the validation part in
// eight of the right one.
Recipe conflicting_recipe(const testing::TemporaryFolder& folder) {
  std::string train, validation;
  for (int i = 0; i < kWords; ++i) {
    for (int n = 0; n < 2; ++n) train += label(i + 1) + "," + word(i) + "\n";
    for (int n = 0; n < 8; ++n) validation += label(i) + "," + word(i) + "\n";
  }
  auto recipe = small_recipe();
  recipe.data.train = {folder.write("train.csv", train).string()};
  recipe.data.validation = {folder.write("validation.csv", validation).string()};
  recipe.data.validation_fraction = 0;
  recipe.data.label_column = "1";
  recipe.data.text_columns = {"2"};
  recipe.data.header = HeaderRow::kNo;
  recipe.model.text.embedding_deviation = 0.5;
  recipe.train.epochs = 40;
  recipe.train.learning_rate = 0.02;
  recipe.train.evaluate_every = 1000;  // only after the last step
  recipe.linear.members = {};
  return recipe;
}

// Of the words, those whose class is right by the validation part.
int right_words(const Classifier& classifier) {
  int right = 0;
  for (int i = 0; i < kWords; ++i) right += classifier.classify(word(i)).label == label(i) ? 1 : 0;
  return right;
}

TEST(RefitTest, TheSecondModelLearnsFromTheValidationPart) {
  const testing::TemporaryFolder folder;
  auto recipe = conflicting_recipe(folder);
  EXPECT_LT(right_words(train(recipe, folder / "without")), kWords);
  recipe.refit = true;
  EXPECT_EQ(right_words(train(recipe, folder / "with")), kWords);
}

TEST(RefitTest, WithoutAValidationPartNothingChanges) {
  const testing::TemporaryFolder folder;
  auto recipe = conflicting_recipe(folder);
  recipe.data.validation = {};
  const auto before = train(recipe, folder / "without");
  recipe.refit = true;
  const auto after = train(recipe, folder / "with");
  for (int i = 0; i < kWords; ++i) {
    EXPECT_EQ(before.classify(word(i)).probabilities, after.classify(word(i)).probabilities);
  }
}

// With linear members and several labels per document, whose thresholds and pool the first training
// has chosen.
TEST(RefitTest, ARunThatIsStoppedInItsSecondTrainingEndsWithTheSameModel) {
  const testing::TemporaryFolder folder;
  std::string rows;
  for (int i = 0; i < 60; ++i) {
    rows += i % 3 == 0 ? "a;b,x y\n" : i % 3 == 1 ? "a,x z\n" : "b,y z\n";
  }
  auto recipe = small_recipe();
  recipe.data.train = {folder.write("rows.csv", rows).string()};
  recipe.data.label_column = "1";
  recipe.data.label_separator = ";";
  recipe.data.text_columns = {"2"};
  recipe.data.header = HeaderRow::kNo;
  recipe.train.threads = 1;
  recipe.train.checkpoint_every = 2;
  recipe.loss.adversarial = 0.1;
  recipe.refit = true;
  recipe.resolve_metric();
  train::train_in(recipe, folder / "whole", nullptr);
  {  // in the second training: the first has six steps
    train::TrainingRun run(recipe, folder / "stopped");
    ASSERT_FALSE(run.train({}, [&] { return run.step() == 7; }));
  }
  train::TrainingRun run(recipe, folder / "stopped", {.resume = true});
  ASSERT_TRUE(run.train({}));
  EXPECT_GT(run.finish().result.refit_steps, 0);
  for (const auto* file : {"model.safetensors", "linear.safetensors", "thresholds.json"}) {
    EXPECT_TRUE(base::read_file(folder / "whole/model" / file) ==
                base::read_file(folder / "stopped/model" / file))
        << file;
  }
}

}  // namespace
}  // namespace fastformer::classification
