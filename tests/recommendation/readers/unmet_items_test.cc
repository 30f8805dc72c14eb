#include "fastformer/recommendation/readers/unmet_items.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <vector>

namespace fastformer::recommendation {
namespace {

TEST(UnmetItems, DrawsWithoutRepetitionFromWhatIsLeft) {
  for (const int items : {5, 8, 50}) {
    UnmetItems unmet(items, 4, 1);
    const std::vector<std::int32_t> met = {2, 3, 3, 0};
    unmet.begin_user("u", met);
    for (int trial = 0; trial < 50; ++trial) {
      std::set<std::int32_t> drawn;
      int clicks = 0;
      for (const auto& candidate : unmet.around(2)) {
        clicks += candidate.clicked() ? 1 : 0;
        if (candidate.clicked()) {
          EXPECT_EQ(candidate.item(), 2);
          continue;
        }
        EXPECT_TRUE(drawn.insert(candidate.item()).second);
        EXPECT_TRUE(candidate.item() != 2 && candidate.item() != 3);
        EXPECT_TRUE(candidate.item() >= 1 && candidate.item() <= items);
      }
      EXPECT_EQ(clicks, 1);
      EXPECT_EQ(drawn.size(), items == 5 ? 3u : 4u);
    }
  }
}

TEST(UnmetItems, AllItemsAndAllPlacesAreEquallyLikely) {
  constexpr int kTrials = 20'000;
  for (const int items : {6, 40}) {  // listed, and by rejection
    UnmetItems unmet(items, 3, 7);
    const std::vector<std::int32_t> met = {1};
    unmet.begin_user("u", met);
    std::map<std::int32_t, int> drawn;
    std::vector<int> places(4);
    for (int trial = 0; trial < kTrials; ++trial) {
      const auto candidates = unmet.around(1);
      for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (candidates[i].clicked()) {
          ++places[i];
        } else {
          ++drawn[candidates[i].item()];
        }
      }
    }
    const double expected = 3.0 * kTrials / (items - 1);
    EXPECT_EQ(drawn.size(), static_cast<std::size_t>(items - 1));
    for (const auto& [item, count] : drawn) EXPECT_NEAR(count, expected, 5 * std::sqrt(expected));
    for (const int count : places) EXPECT_NEAR(count, kTrials / 4, 5 * std::sqrt(kTrials / 4));
  }
}

TEST(UnmetItems, AUserWhoMetEverythingGetsNothing) {
  UnmetItems unmet(2, 3, 1);
  const std::vector<std::int32_t> met = {1, 2};
  unmet.begin_user("u", met);
  ASSERT_EQ(unmet.around(1).size(), 1u);
  EXPECT_TRUE(unmet.around(1)[0].clicked());
}

}  // namespace
}  // namespace fastformer::recommendation
