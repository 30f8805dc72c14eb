#include "fastformer/recommendation/diverse_items.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace fastformer::recommendation {
namespace {

using Places = std::vector<std::size_t>;

// By the definition: all values anew for each choice.
Places by_definition(const at::Tensor& vectors, const std::vector<float>& scores, std::size_t top,
                     double diversity) {
  const auto rows = vectors.to(at::kDouble).contiguous();
  const auto width = rows.size(1);
  const auto* all = rows.const_data_ptr<double>();
  const auto cosine = [&](std::size_t a, std::size_t b) {
    double ab = 0, aa = 0, bb = 0;
    for (std::int64_t k = 0; k < width; ++k) {
      const double x = all[static_cast<std::int64_t>(a) * width + k];
      const double y = all[static_cast<std::int64_t>(b) * width + k];
      ab += x * y;
      aa += x * x;
      bb += y * y;
    }
    return ab / std::sqrt(aa * bb);
  };
  const auto [least, most] = std::minmax_element(scores.begin(), scores.end());
  Places chosen;
  while (chosen.size() < top) {
    std::size_t best = 0;
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (std::find(chosen.begin(), chosen.end(), i) != chosen.end()) continue;
      double closest = chosen.empty() ? 0 : -1;
      for (const auto other : chosen) closest = std::max(closest, cosine(i, other));
      const double value =
          (1 - diversity) * (scores[i] - *least) / (*most - *least) - diversity * closest;
      if (value > largest) {
        largest = value;
        best = i;
      }
    }
    chosen.push_back(best);
  }
  return chosen;
}

TEST(DiverseItemsTest, AreThoseOfTheDefinition) {
  at::manual_seed(3);
  const auto vectors = at::randn({40, 6});
  const auto drawn = at::randn({40});
  const std::vector<float> scores(drawn.const_data_ptr<float>(),
                                  drawn.const_data_ptr<float>() + 40);
  for (const double diversity : {0.1, 0.5, 0.9, 1.0}) {
    EXPECT_EQ(diverse_items(vectors, scores, 12, diversity),
              by_definition(vectors, scores, 12, diversity))
        << diversity;
  }
}

TEST(DiverseItemsTest, WithoutDiversityTheScoresDecide) {
  const std::vector<float> scores = {1, 3, 2};
  EXPECT_EQ(diverse_items(at::ones({3, 2}), scores, 2, 0), (Places{1, 2}));
}

TEST(DiverseItemsTest, TakesWhatThereIs) {
  EXPECT_EQ(diverse_items(at::zeros({0, 2}), {}, 5, 0.5), Places());
  const std::vector<float> scores = {1, 1};
  EXPECT_EQ(diverse_items(at::zeros({2, 2}), scores, 5, 0.5), (Places{0, 1}));
}

}  // namespace
}  // namespace fastformer::recommendation
