#include "fastformer/train/prepared_record.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace fastformer::train {
namespace {

class PreparedRecord : public ::testing::Test {
 protected:
  PreparedRecord() {
    folder_.write("train.csv", "a,b\n");
    folder_.write(kPreparedFile, prepared_record(parts_, sources()));
  }
  std::vector<RecipeSource> sources() const { return {{"data.train", folder_ / "train.csv"}}; }
  std::string error(const std::vector<PreparedPart>& parts) const {
    return testing::error_of([&] { check_prepared(folder_.path(), parts, sources()); });
  }
  testing::TemporaryFolder folder_;
  std::vector<PreparedPart> parts_ = {{"the vocabulary", 1}, {"the training part", 2}};
};

TEST_F(PreparedRecord, EqualPartsMayComeFromFilesThatWereTouched) {
  EXPECT_EQ(error(parts_), "");
  folder_.write("train.csv", "a,b\n\n");
  EXPECT_EQ(error(parts_), "");
}

TEST_F(PreparedRecord, AnotherPartIsRefusedWithTheSourceThatChanged) {
  parts_[1].checksum = 3;
  EXPECT_MENTIONS(error(parts_), "the training part", "its files have not changed", "--output");
  folder_.write("train.csv", "a,b\nc,d\n");
  EXPECT_MENTIONS(error(parts_), "data.train: ", "train.csv has changed", "the training part",
                  "restore the original");
  std::filesystem::remove(folder_ / "train.csv");
  EXPECT_MENTIONS(error(parts_), "train.csv has changed");
}

TEST_F(PreparedRecord, ADamagedOrMissingRecordIsRefused) {
  folder_.write(kPreparedFile, "{}");
  EXPECT_MENTIONS(error(parts_), kPreparedFile, "is damaged");
  folder_.write(kPreparedFile, "{\"parts\":[]}");
  EXPECT_MENTIONS(error(parts_), kPreparedFile, "is damaged");
  std::filesystem::remove(folder_ / kPreparedFile);
  EXPECT_MENTIONS(error(parts_), kPreparedFile);
}

TEST(Checksums, TellOrderAndBordersApart) {
  using Texts = std::vector<std::string>;
  EXPECT_NE(checksum_of(Texts{"ab", "c"}), checksum_of(Texts{"a", "bc"}));
  EXPECT_NE(checksum_of(Texts{"a", "b"}), checksum_of(Texts{"b", "a"}));
  EXPECT_NE(checksum_of(nn::ParameterMap{{"a", at::zeros({2})}}),
            checksum_of(nn::ParameterMap{{"a", at::ones({2})}}));
}

}  // namespace
}  // namespace fastformer::train
