#include "fastformer/classification/quantization.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "classification/small_recipe.h"
#include "fastformer/base/atomic_file.h"
#include "fastformer/base/model_directory.h"
#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/training.h"
#include "support/temporary_folder.h"

namespace fastformer::classification {
namespace {

class QuantizationTest : public ::testing::Test {
 protected:
  // A model that has learned something, with a table of pairs and linear members.
  std::filesystem::path trained(std::int64_t layers = 1) {
    auto recipe = small_recipe();
    recipe.model.text.encoder.layers = layers;
    recipe.model.text.encoder.width = 32;
    recipe.model.text.bigram_buckets = 500;
    recipe.train.epochs = 3;
    std::string rows;
    for (int i = 0; i < 200; ++i) {
      const auto word = std::to_string(i % 7);
      rows += i % 2 == 0 ? "market,oil prices fall " + word + "\n"
                         : "sport,the team wins cup " + word + "\n";
    }
    return train_on_rows(recipe, rows, folder_);
  }
  testing::TemporaryFolder folder_;
};

const std::vector<std::string> kTexts = {"oil prices fall 3", "the team wins", "", "unknown words",
                                         "the oil cup prices 5"};

TEST_F(QuantizationTest, KeepsThePredictionsInBothHalves) {
  const auto model = trained();
  const auto before = Classifier::load(model).classify(kTexts);
  for (const auto tables : {model::Storage::kInt4, model::Storage::kInt8}) {
    const auto report = quantize(model, folder_ / "small", {.tables = tables});
    EXPECT_LT(report.bytes_after, report.bytes_before);
    EXPECT_EQ(report.pairs_after, report.pairs_before);
    EXPECT_EQ(report.ngrams_after, report.ngrams_before);
    EXPECT_GT(report.pairs_before, 0);
    const auto small = Classifier::load(folder_ / "small").classify(kTexts);
    // The same numbers without the rounding of rows.
    const Classifier torch(ClassifierContent::load(folder_ / "small"));
    const auto full = torch.classify(kTexts);
    for (std::size_t i = 0; i < kTexts.size(); ++i) {
      EXPECT_EQ(small[i].label, before[i].label) << kTexts[i];
      EXPECT_NEAR(small[i].probabilities[0], before[i].probabilities[0], 0.03) << kTexts[i];
      EXPECT_NEAR(small[i].probabilities[0], full[i].probabilities[0], 0.02) << kTexts[i];
    }
  }
}

TEST_F(QuantizationTest, StaysBelowTheLimit) {
  const auto model = trained(/*layers=*/5);
  const auto all = quantize(model, folder_ / "all", {});
  const auto limit = all.bytes_after * 9 / 10;
  const auto report = quantize(model, folder_ / "small", {.most_bytes = limit});
  EXPECT_LE(report.bytes_after, limit);
  EXPECT_LT(report.pairs_after, report.pairs_before);
  EXPECT_GT(report.pairs_after, 0);
  EXPECT_LT(report.ngrams_after, report.ngrams_before);
  const auto classifier = Classifier::load(folder_ / "small");
  EXPECT_EQ(classifier.classify("oil prices").label, "market");
  EXPECT_EQ(classifier.classify("the team").label, "sport");
  EXPECT_MENTIONS(
      testing::error_of([&] { quantize(model, folder_ / "none", {.most_bytes = 100}); }),
      "a model of 100 bytes is not possible", "set a larger size");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none"));
}

TEST_F(QuantizationTest, ADamagedFileIsRefused) {
  quantize(trained(), folder_ / "small", {});
  const auto file = folder_ / "small" / base::kWeightsFile;
  const auto bytes = base::read_file(file);
  const auto name = bytes.find("embedding.bigram.weight.rows");
  ASSERT_NE(name, std::string::npos);
  auto damaged = bytes;
  damaged[name] = 'f';
  base::write_file_atomically(file, damaged);
  const auto error = testing::error_of([&] { Classifier::load(folder_ / "small"); });
  EXPECT_MENTIONS(error, "model.safetensors", "embedding.bigram.weight.rows' is missing");
  // The last tensors are the bytes of tables and layers: any byte of them is a number.
  damaged = bytes;
  damaged.back() = static_cast<char>(damaged.back() ^ 0x55);
  base::write_file_atomically(file, damaged);
  EXPECT_NO_THROW(Classifier::load(folder_ / "small").classify(kTexts));
}

}  // namespace
}  // namespace fastformer::classification
