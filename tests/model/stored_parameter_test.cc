#include "fastformer/model/stored_parameter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "fastformer/base/safetensors.h"
#include "fastformer/kernels/simd_level.h"
#include "support/temporary_folder.h"

namespace fastformer::model {
namespace {

constexpr std::int64_t kRows = 9;

std::vector<float> table_of(std::int64_t columns) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(kRows * columns);
  for (auto& value : values) value = normal(generator);
  std::fill_n(values.begin() + 2 * columns, columns, 0.0F);  // a row that training never touched
  std::fill_n(values.begin() + 8 * columns, columns, 0.0F);
  return values;
}

using Views = std::map<std::string, base::TensorView>;

Views views_of(const QuantizedParameter& stored) {
  Views views;
  stored.add_to(views, "t");
  return views;
}

class StoredParameterTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { kernels::set_simd_level(GetParam()); }
  void TearDown() override { kernels::set_simd_level(""); }
  testing::TemporaryFolder folder_;
};

TEST_P(StoredParameterTest, RowsAreTheNearestMultiplesOfTheirScales) {
  for (const std::int64_t columns : {1, 7, 31, 32, 33, 64, 65, 130}) {
    const auto values = table_of(columns);
    for (const auto storage : {Storage::kInt8, Storage::kInt4}) {
      const auto stored = quantize(values, columns, storage);
      EXPECT_EQ(std::ssize(stored.scales), storage == Storage::kInt4 ? kRows - 2 : kRows);
      base::write_safetensors(folder_ / "f", views_of(stored));
      ParameterFile file(folder_ / "f");
      const StoredParameter parameter(file, "t", {kRows, columns});
      file.finish();
      EXPECT_EQ(parameter.storage(), storage);
      const auto found = parameter.values();
      const float largest = storage == Storage::kInt4 ? 7 : 127;
      for (std::int64_t i = 0; i < kRows; ++i) {
        float most = 0;
        for (std::int64_t c = 0; c < columns; ++c) {
          most = std::max(most, std::abs(values[i * columns + c]));
        }
        std::vector<float> sum(columns, 2.0F);
        parameter.prefetch_row(i);
        parameter.add_row(i, sum.data());
        for (std::int64_t c = 0; c < columns; ++c) {
          const float exact = values[i * columns + c];
          EXPECT_NEAR(found[i * columns + c], exact, most / largest / 2 * 1.001F);
          EXPECT_NEAR(sum[c], 2 + found[i * columns + c], 1e-6);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(SimdLevels, StoredParameterTest,
                         ::testing::ValuesIn(kernels::simd_levels()),
                         [](const auto& level) { return level.param; });

TEST(StoredParameterFile, OnlyTablesMayOmitRows) {
  const testing::TemporaryFolder folder;
  const auto stored = quantize(table_of(4), 4, Storage::kInt4);
  base::write_safetensors(folder / "f", views_of(stored));
  EXPECT_MENTIONS(testing::error_of([&] {
                    ParameterFile file(folder / "f");
                    const StoredParameter parameter(file, "t", {kRows, 4}, StoredRows::kAll);
                  }),
                  "'t'", "[7, 2]", "[9, 4]");
}

TEST(StoredParameterFile, RowsOfTinyNumbersAreZero) {
  const std::vector<float> values = {1e-38F, 0, 1, -1};
  for (const auto storage : {Storage::kInt8, Storage::kInt4}) {
    const auto stored = quantize(values, 2, storage);
    EXPECT_EQ(stored.bytes.front(), storage == Storage::kInt8 ? 0 : static_cast<std::int8_t>(0x1F));
  }
}

TEST(StoredParameterFile, RefusesRowsThatAreNotThere) {
  const testing::TemporaryFolder folder;
  const auto stored = quantize(table_of(4), 4, Storage::kInt4);
  const auto error_of = [&](std::vector<std::int32_t> rows, std::int64_t columns) {
    auto views = views_of(stored);
    views["t.rows"] = {"I32", {std::ssize(rows)}, std::as_bytes(std::span(rows))};
    base::write_safetensors(folder / "f", views);
    return testing::error_of([&] {
      ParameterFile file(folder / "f");
      const StoredParameter parameter(file, "t", {kRows, columns});
    });
  };
  auto rows = stored.rows;
  EXPECT_EQ(error_of(rows, 4), "");
  EXPECT_MENTIONS(error_of(rows, 6), "'t'", "[7, 2]", "[7, 3]");
  std::swap(rows[1], rows[2]);
  EXPECT_MENTIONS(error_of(rows, 4), "'t.rows'", "ascending");
  rows = stored.rows;
  rows.back() = kRows;
  EXPECT_MENTIONS(error_of(rows, 4), "'t.rows'", "ascending");
  rows.pop_back();
  EXPECT_MENTIONS(error_of(rows, 4), "'t'", "[7, 2]", "[6, 2]");
}

}  // namespace
}  // namespace fastformer::model
