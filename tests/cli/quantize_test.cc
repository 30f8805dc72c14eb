// `quantize`, and its models in both programs.
#include <gtest/gtest.h>

#include <string>

#include "cli/program.h"

namespace fastformer::cli {
namespace {

class QuantizeCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto trained = run_program(task_.train("run"));
    ASSERT_EQ(trained.code, 0) << trained.output;
  }
  std::string model() const { return task_.path("run/model"); }

  SmallTask task_;
};

TEST_F(QuantizeCommand, ReportsSizesAndAccuracy) {
  const auto small = task_.path("small");
  const auto outcome = run_program({"quantize", model(), small, "--data", task_.path("train.csv")});
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_MENTIONS(outcome.output, "bytes of parameters", "token pairs", "n-grams", "accuracy");
  const std::string texts = "oil prices fall\nthe team wins\n\n";
  const auto expected = run_program({"predict", small}, texts);
  EXPECT_EQ(expected.code, 0) << expected.output;
  EXPECT_TRUE(expected.output.starts_with("market\t")) << expected.output;

  const auto limited = run_program({"quantize", model(), task_.path("limited"), "--size", "40KB"});
  EXPECT_EQ(limited.code, 0) << limited.output;
  EXPECT_EQ(run_program({"predict", task_.path("limited")}, texts).code, 0);
}

TEST_F(QuantizeCommand, RefusesWhatWouldLoseTheModel) {
  const auto before = task_.weights("run");
  expect_refusal(run_program({"quantize", model(), model()}), {"is the model itself"});
  expect_refusal(run_program({"quantize", model(), task_.path("a"), "--data", "none.csv"}),
                 {"none.csv"});
  expect_refusal(run_program({"quantize", model(), task_.path("a"), "--size", "1KB"}),
                 {"1000 bytes", "set a larger size"});
  EXPECT_EQ(
      run_program({"quantize", model(), task_.path("a"), "--size", "1MB", "--bits", "8"}).code, 2);
  EXPECT_EQ(run_program({"quantize", model(), task_.path("a"), "--size", "0"}).code, 2);
  EXPECT_EQ(task_.weights("run"), before);
  EXPECT_FALSE(std::filesystem::exists(task_.path("a")));
}

}  // namespace
}  // namespace fastformer::cli
