#include "fastformer/metrics/scores.h"

#include <gtest/gtest.h>

#include "fastformer/base/format.h"
#include "support/temporary_folder.h"

namespace fastformer::metrics {
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
    EXPECT_MENTIONS(testing::error_of([&] { score_of(scores, name); }), base::format("'%s'", name),
                    "valid: loss, auc");
  }
  EXPECT_MENTIONS(testing::error_of([] { score_of({}, "loss"); }), "'loss'", "valid: none");
}

TEST(Scores, AreShownWithTheirTitles) {
  const Scores scores = {{"loss", 1.25}, {"macro_f1", 0.5}, {"ndcg_10", 0.12345}};
  EXPECT_EQ(scores_text(scores, {"ndcg_10", "macro_f1", "loss"}),
            "nDCG@10 0.1235  macro-F1 0.5000  loss 1.2500");
  EXPECT_EQ(scores_text(scores, {}), "");
  EXPECT_MENTIONS(testing::error_of([&] { scores_text(scores, {"auc"}); }), "'auc'");
  EXPECT_EQ(score_title("rouge_lsum"), "ROUGE-Lsum");
  EXPECT_EQ(score_title("accuracy"), "accuracy");
  EXPECT_TRUE(is_share("auc"));
  EXPECT_FALSE(is_share("loss"));
}

}  // namespace
}  // namespace fastformer::metrics
