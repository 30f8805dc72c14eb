#include "fastformer/nn/layers/ragged_ops.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/gradient_check.h"

namespace fastformer::nn {
namespace {

const std::vector<std::int64_t> kOffsets = {0, 3, 3, 4, 11};

using testing::check_gradient;
using testing::random;
using testing::weigh;

TEST(RaggedOps, GradientsAgreeWithFiniteDifferences) {
  const Offsets offsets(kOffsets);
  const auto x = random({11, 6}), vectors = random({4, 6});
  check_gradient([&](const auto& v) { return weigh(expand_rows(v, offsets)); }, vectors);
  check_gradient([&](const auto& v) { return weigh(previous_rows(v, offsets)); }, x);
}

TEST(RaggedOps, TheFirstRowOfASequenceHasNoPreviousOne) {
  const Offsets offsets(kOffsets);
  const auto x = random({11, 6}), previous = previous_rows(x, offsets);
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    for (std::int64_t i = 0; i < offsets.length(b); ++i) {
      const auto row = offsets.begin_of(b) + i;
      EXPECT_TRUE(at::equal(previous[row], i == 0 ? at::zeros_like(x[row]) : x[row - 1])) << row;
    }
  }
  const std::vector<std::int64_t> none = {0, 0};
  EXPECT_EQ(previous_rows(at::zeros({0, 6}), Offsets(none)).size(0), 0);
}

TEST(RaggedOps, RefusesShapesThatDoNotBelongTogether) {
  const Offsets offsets(kOffsets);
  EXPECT_THROW(expand_rows(at::randn({3, 6}), offsets), c10::Error);
  EXPECT_THROW(previous_rows(at::randn({3, 6}), offsets), c10::Error);
}

}  // namespace
}  // namespace fastformer::nn
