#include "fastformer/train/starting_model.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fastformer/base/model_directory.h"
#include "fastformer/nn/tensor_file.h"
#include "support/temporary_folder.h"

namespace fastformer::train {
namespace {

using testing::error_of;

struct Shape {
  std::int64_t width = 4;
  double dropout = 0.1;
  std::string mixer = "softmax";

  void visit_fields(base::FieldVisitor& visit) {
    visit("width", width, "the width");
    visit("dropout", dropout, "of training alone");
    visit("mixer", mixer, "the mixer");
  }
};

class StartingModelTest : public ::testing::Test {
 protected:
  StartingModelTest() {
    nn::save_tensors(folder_ / base::kWeightsFile,
                     {{"table", at::arange(6, at::kFloat).view({3, 2})}, {"bias", at::ones({2})}},
                     {});
  }
  StartingModel model(const Shape& own, const Shape& recipe,
                      const std::set<std::string>& free = {}) const {
    return {folder_.path(), shape_of(own, {}), shape_of(recipe, {}), free};
  }

  testing::TemporaryFolder folder_;
};

TEST_F(StartingModelTest, NamesTheFirstFieldThatDiffers) {
  EXPECT_EQ(error_of([&] { model({}, {.dropout = 0.5}); }), "");
  EXPECT_MENTIONS(error_of([&] { model({}, {.width = 8}); }), "train.from", "model.width = 4",
                  "has 8");
  EXPECT_MENTIONS(error_of([&] { model({}, {.mixer = "linear"}); }), "model.mixer = \"softmax\"",
                  "\"linear\"");
  EXPECT_EQ(error_of([&] { model({}, {.width = 8}, {"model.width"}); }), "");
}

TEST_F(StartingModelTest, NewRowsStandBehindTheOthersButForTheLast) {
  for (const std::int64_t last : {0, 2}) {
    const auto table = at::full({5, 2}, -1.0F);
    const nn::ParameterMap parameters = {{"table", table}, {"bias", at::zeros({2})}};
    const auto notices = model({}, {}).copy_to(parameters, last);
    ASSERT_EQ(notices.size(), 2U);
    EXPECT_MENTIONS(notices[1], "table: 2 of 5 rows are new");
    const std::vector<float> expected = last == 0
                                            ? std::vector<float>{0, 1, 2, 3, 4, 5, -1, -1, -1, -1}
                                            : std::vector<float>{0, 1, -1, -1, -1, -1, 2, 3, 4, 5};
    const auto* first = table.const_data_ptr<float>();
    EXPECT_EQ(std::vector<float>(first, first + 10), expected);
    EXPECT_TRUE(at::equal(parameters.at("bias"), at::ones({2})));
  }
}

TEST_F(StartingModelTest, OtherShapesAreRefused) {
  const auto start = model({}, {});
  EXPECT_MENTIONS(error_of([&] { start.copy_to({{"table", at::zeros({2, 2})}}); }), "'table'",
                  "[3, 2]", "[2, 2]");
  EXPECT_MENTIONS(error_of([&] { start.copy_to({{"table", at::zeros({3, 3})}}); }), "'table'");
  EXPECT_MENTIONS(error_of([&] { start.copy_to({{"gate", at::zeros({3, 3})}}); }), "'gate'",
                  "is missing");
}

TEST_F(StartingModelTest, OtherWeightsHaveAnotherChecksum) {
  const auto before = model({}, {}).prepared().checksum;
  EXPECT_EQ(model({}, {}).prepared().checksum, before);
  nn::save_tensors(folder_ / base::kWeightsFile,
                   {{"table", at::arange(6, at::kFloat).view({3, 2})}, {"bias", at::zeros({2})}},
                   {});
  EXPECT_NE(model({}, {}).prepared().checksum, before);
}

}  // namespace
}  // namespace fastformer::train
