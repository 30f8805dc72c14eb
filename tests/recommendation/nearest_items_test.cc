#include "fastformer/recommendation/nearest_items.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace fastformer::recommendation {
namespace {

at::Tensor random_vectors(std::int64_t rows, std::int64_t width, std::uint64_t seed) {
  return at::randn({rows, width}, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat);
}

std::vector<std::int32_t> exact(const at::Tensor& vectors, const at::Tensor& user,
                                std::int64_t count) {
  const auto [scores, items] = at::mv(vectors, user).topk(count);
  const auto numbers = items.to(at::kInt);
  const auto* first = numbers.const_data_ptr<std::int32_t>();
  return {first, first + count};
}

// The share of the ten best items that are found, over all users.
TEST(NearestItems, FindsNearlyAllOfTheBestItems) {
  const auto vectors = random_vectors(5000, 16, 1), users = random_vectors(200, 16, 2);
  const recommendation::NearestItems nearest(vectors);
  int found = 0;
  for (std::int64_t u = 0; u < users.size(0); ++u) {
    const auto user = users.select(0, u);
    const auto best = exact(vectors, user, 10);
    const auto items = nearest.search(user.const_data_ptr<float>(), 10);
    ASSERT_EQ(items.size(), 10U);
    for (const auto item : items) found += static_cast<int>(std::ranges::count(best, item));
    // Largest product first.
    const auto scores = at::mv(vectors, user);
    for (std::size_t i = 1; i < items.size(); ++i) {
      EXPECT_GE(scores[items[i - 1]].item<float>(), scores[items[i]].item<float>() - 1e-5);
    }
  }
  EXPECT_GE(found, 0.98 * 200 * 10);
}

TEST(NearestItems, AreAllOfFewItems) {
  const auto vectors = random_vectors(3, 4, 1), user = random_vectors(1, 4, 2);
  const auto found = recommendation::NearestItems(vectors).search(user.const_data_ptr<float>(), 10);
  EXPECT_EQ(found, exact(vectors, user.select(0, 0), 3));
  EXPECT_TRUE(recommendation::NearestItems(random_vectors(0, 4, 1))
                  .search(user.const_data_ptr<float>(), 10)
                  .empty());
}

}  // namespace
}  // namespace fastformer::recommendation
