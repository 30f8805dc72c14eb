#include "fastformer/tasks/scores.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace fastformer::tasks {
namespace {

TEST(Scores, AreFoundByName) {
  const Scores scores = {{"loss", 0.25}, {"auc", 0.75}, {"ndcg_5", 0}};
  EXPECT_EQ(score_of(scores, "loss"), 0.25);
  EXPECT_EQ(score_of(scores, "auc"), 0.75);
  EXPECT_EQ(score_of(scores, "ndcg_5"), 0);
}

TEST(Scores, AnotherNameIsRefusedWithThoseThereAre) {
  const Scores scores = {{"loss", 0.25}, {"auc", 0.75}};
  for (const char* name : {"accuracy", "AUC", "auc ", ""}) {
    EXPECT_MENTIONS(testing::error_of([&] { score_of(scores, name); }),
                    "'" + std::string(name) + "'", "there are loss, auc");
  }
  EXPECT_MENTIONS(testing::error_of([] { score_of({}, "loss"); }), "'loss'", "there are none");
}

}  // namespace
}  // namespace fastformer::tasks
