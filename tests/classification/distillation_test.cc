#include "fastformer/classification/distillation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "classification/small_recipe.h"
#include "fastformer/classification/classifier.h"
#include "fastformer/classification/training.h"
#include "fastformer/train/training_run.h"
#include "support/gradient_check.h"

namespace fastformer::classification {
namespace {

TEST(TeacherLoss, IsTheSoftenedDivergence) {
  const auto of = [](std::initializer_list<double> values) {
    return at::tensor(values, at::kDouble).view({2, 3});
  };
  const auto logits = of({1, -0.5, 0.25, 2, 0, 0}), teacher = of({0, 3, 0.5, -1, -1, 4});
  for (const double temperature : {1.0, 2.5}) {
    double expected = 0;
    for (std::int64_t b = 0; b < 2; ++b) {
      double z = 0, t = 0;
      const auto at = [&](const at::Tensor& x, std::int64_t c) {
        return std::exp(x[b][c].item<double>() / temperature);
      };
      for (std::int64_t c = 0; c < 3; ++c) {
        z += at(logits, c);
        t += at(teacher, c);
      }
      for (std::int64_t c = 0; c < 3; ++c) {
        const double p = at(teacher, c) / t, q = at(logits, c) / z;
        expected += p * std::log(p / q);
      }
    }
    expected *= temperature * temperature / 2;
    EXPECT_NEAR(teacher_loss(logits, teacher, temperature, false).item<double>(), expected, 1e-9);
  }
  EXPECT_NEAR(teacher_loss(teacher, teacher, 2, false).item<double>(), 0, 1e-12);
}

TEST(TeacherLoss, OfSeveralLabelsIsThatOfEachLabel) {
  const auto logits = at::tensor({1.0, -0.5}, at::kDouble).view({1, 2});
  const auto teacher = at::tensor({-2.0, 0.75}, at::kDouble).view({1, 2});
  double expected = 0;
  for (const auto& [z, t] : {std::pair(1.0, -2.0), std::pair(-0.5, 0.75)}) {
    const double p = 1 / (1 + std::exp(-t / 2)), q = 1 / (1 + std::exp(-z / 2));
    expected += 4 * (p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q)));
  }
  EXPECT_NEAR(teacher_loss(logits, teacher, 2, true).item<double>(), expected, 1e-9);
}

TEST(TeacherLoss, HasTheGradientOfItsValue) {
  at::manual_seed(1);
  const auto teacher = at::randn({3, 4}, at::kDouble);
  for (const bool several : {false, true}) {
    testing::check_gradient(
        [&](const at::Tensor& logits) { return teacher_loss(logits, teacher, 1.5, several); },
        at::randn({3, 4}, at::kDouble));
  }
}

// A teacher that knows what "red" and "blue" mean; a student whose own labels are of other words.
class Distillation : public ::testing::Test {
 protected:
  Distillation() {
    std::string rows, unlabelled = "text\n";
    for (int i = 0; i < 30; ++i) rows += "warm,red\ncold,blue\nwarm,fire\ncold,ice\n";
    const auto directory = train_on_rows(teaching_recipe(), rows, folder_);
    teacher_ = directory.string();
    for (int i = 0; i < 60; ++i) unlabelled += i % 2 == 0 ? "red\n" : "blue\n";
    recipe_ = teaching_recipe();
    recipe_.data.train = {
        folder_.write("few.csv", "label,text\nwarm,fire\ncold,ice\nwarm,fire\ncold,ice\n")
            .string()};
    recipe_.data.validation_fraction = 0;
    recipe_.data.label_column = "label";
    recipe_.data.text_columns = {"text"};
    recipe_.data.unlabelled = {folder_.write("more.csv", unlabelled).string()};
    recipe_.distillation.teachers = {teacher_};
  }
  static Recipe teaching_recipe() {
    auto recipe = small_recipe();
    recipe.linear.members = {};
    recipe.model.text.embedding_deviation = 0.5;
    recipe.train.epochs = 40;
    recipe.train.learning_rate = 0.02;
    return recipe;
  }

  testing::TemporaryFolder folder_;
  std::string teacher_;
  Recipe recipe_;
};

TEST_F(Distillation, TheStudentLearnsFromTheTeacherWhatItsLabelsDoNotSay) {
  const auto student = train(recipe_, folder_ / "student");
  EXPECT_EQ(student.classify("red").label, "warm");
  EXPECT_EQ(student.classify("blue").label, "cold");
  EXPECT_EQ(student.classify("fire").label, "warm");
  // The words "red" and "blue" are not among those of its labelled texts.
  auto alone = recipe_;
  alone.data.unlabelled = {};
  alone.distillation = {};
  const auto without = train(alone, folder_ / "alone");
  EXPECT_EQ(without.classify("red").probabilities, without.classify("blue").probabilities);
}

TEST_F(Distillation, TheTeacherReadsTheSameTextsOnce) {
  recipe_.data.cache = (folder_ / "cache").string();
  int readings = 0;
  const auto run = [&](const char* name) {
    train::TrainingRun training(recipe_, folder_ / name, {.notice = [&](const std::string& notice) {
                                  readings +=
                                      notice.find("the teacher") != std::string::npos ? 1 : 0;
                                }});
    ASSERT_TRUE(training.train({}));
  };
  run("first");
  EXPECT_EQ(readings, 2);  // the labelled texts and the others
  recipe_.train.seed = 2;
  run("second");
  EXPECT_EQ(readings, 2);
  folder_.write("more.csv", "text\nred\nblue\nred\n");
  run("third");
  EXPECT_EQ(readings, 3);
}

TEST_F(Distillation, AResumedRunRefusesAnotherTeacher) {
  recipe_.train.checkpoint_every = 1;
  {
    train::TrainingRun run(recipe_, folder_ / "student");
    ASSERT_FALSE(run.train({}, [&] { return run.step() == 1; }));
  }
  auto other = teaching_recipe();
  other.train.seed = 9;
  other.data = recipe_.data;
  other.data.unlabelled = {};
  std::filesystem::remove_all(teacher_);
  train(other, folder_ / "other");
  std::filesystem::rename(folder_ / "other/model", teacher_);
  EXPECT_MENTIONS(testing::error_of(
                      [&] { train::TrainingRun(recipe_, folder_ / "student", {.resume = true}); }),
                  "the teacher");
}

TEST_F(Distillation, NamesATeacherThatDoesNotFit) {
  auto other = recipe_;
  other.data.train = {folder_.write("other.csv", "label,text\nhot,fire\ncold,ice\n").string()};
  EXPECT_MENTIONS(testing::error_of([&] { train(other, folder_ / "a"); }), "train.teacher",
                  teacher_, "'hot'");
  other.data.train = {
      folder_.write("three.csv", "label,text\nwarm,fire\ncold,ice\nmild,tea\n").string()};
  EXPECT_MENTIONS(testing::error_of([&] { train(other, folder_ / "b"); }), "2 labels", "have 3");
  other.distillation.teachers = {"/nowhere"};
  EXPECT_MENTIONS(testing::error_of([&] { train(other, folder_ / "c"); }), "/nowhere");
  base::ConfigTree tree;
  tree.set("data.unlabelled=[\"more.csv\"]");
  tree.set("data.text_columns=[\"text\"]");
  EXPECT_MENTIONS(testing::error_of([&] { Recipe::read(tree); }), "data.unlabelled",
                  "train.teacher");
}

TEST(DistillationOfSeveralLabels, LearnsFromTheTeacher) {
  const testing::TemporaryFolder folder;
  std::string rows = "labels,text\n", more = "text\n";
  for (int i = 0; i < 30; ++i) rows += "a;b,red\nb,blue\na;b,fire\nb,ice\n";
  for (int i = 0; i < 40; ++i) more += i % 2 == 0 ? "red\n" : "blue\n";
  auto recipe = small_recipe();
  recipe.linear.members = {};
  recipe.model.text.embedding_deviation = 0.5;
  recipe.train.epochs = 40;
  recipe.train.learning_rate = 0.02;
  recipe.data.train = {folder.write("rows.csv", rows).string()};
  recipe.data.label_column = "labels";
  recipe.data.label_separator = ";";
  recipe.data.text_columns = {"text"};
  recipe.data.validation_fraction = 0;
  train(recipe, folder / "teacher");
  auto student = recipe;
  student.data.train = {
      folder.write("few.csv", "labels,text\na;b,fire\nb,ice\na;b,fire\nb,ice\n").string()};
  student.data.unlabelled = {folder.write("more.csv", more).string()};
  student.distillation.teachers = {(folder / "teacher/model").string()};
  student.distillation.weight = 0.8;
  const auto classifier = train(student, folder / "student");
  EXPECT_EQ(classifier.classify("red").labels.size(), 2u);
  EXPECT_EQ(classifier.classify("blue").labels, (std::vector<std::string>{"b"}));
}

}  // namespace
}  // namespace fastformer::classification
