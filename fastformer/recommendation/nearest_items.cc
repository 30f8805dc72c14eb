#include "fastformer/recommendation/nearest_items.h"

// The version of Debian 12 prefetches beyond the end of lists, and defines functions that are not
// inline; distances are our own.
#define NO_MANUAL_VECTORIZATION
#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "fastformer/kernels/row_dots.h"

namespace fastformer::recommendation {
namespace {

// Links per item and level, and how many near items are considered for them.
constexpr std::size_t kLinks = 32, kConsidered = 200;
// A search keeps the best of the items that it has met: more of them find more of the nearest and
// take longer. In large graphs it needs more.
constexpr std::size_t kLeastKept = 1000, kItemsPerKept = 333;

// An item of the graph: its vector, which is stored once, and one coordinate more, with which all
// items have equal norms. The distances of items in the graph are then those of a metric, and the
// users, whose additional coordinate is 0, have the products of before (Neyshabur and Srebro 2015,
// arXiv 1410.5518).
struct Point {
  const float* vector = nullptr;
  float more = 0;

  // The graph does not align its items.
  static Point at(const void* item) {
    Point point;
    std::memcpy(&point, item, sizeof point);
    return point;
  }
};

class InnerProduct final : public hnswlib::SpaceInterface<float> {
 public:
  explicit InnerProduct(std::int64_t width) : width_(width) {}

  std::size_t get_data_size() override { return sizeof(Point); }
  hnswlib::DISTFUNC<float> get_dist_func() override {
    return [](const void* a, const void* b, const void* width) {
      const auto one = Point::at(a), two = Point::at(b);
      float product = 0;
      kernels::row_dots(one.vector, two.vector, one.more * two.more, 1,
                        *static_cast<const std::int64_t*>(width), &product);
      return -product;
    };
  }
  void* get_dist_func_param() override { return &width_; }

 private:
  std::int64_t width_;
};

}  // namespace

struct NearestItems::Impl {
  explicit Impl(const at::Tensor& all)
      : vectors(all.to(at::kFloat).contiguous()),
        space(std::make_unique<InnerProduct>(vectors.size(1))),
        graph(space.get(), std::max<std::size_t>(static_cast<std::size_t>(vectors.size(0)), 1),
              kLinks, kConsidered) {
    const auto width = vectors.size(1);
    std::vector<float> squares(static_cast<std::size_t>(vectors.size(0)));
    for (std::size_t row = 0; row < squares.size(); ++row) {
      const float* vector = vector_of(row);
      kernels::row_dots(vector, vector, 0, 1, width, &squares[row]);
    }
    const float most = squares.empty() ? 0 : *std::ranges::max_element(squares);
    for (std::size_t row = 0; row < squares.size(); ++row) {
      const Point point{vector_of(row), std::sqrt(most - squares[row])};
      graph.addPoint(&point, row);
    }
  }

  const float* vector_of(std::size_t row) const {
    return vectors.const_data_ptr<float>() + static_cast<std::int64_t>(row) * vectors.size(1);
  }

  at::Tensor vectors;
  std::unique_ptr<hnswlib::SpaceInterface<float>> space;
  hnswlib::HierarchicalNSW<float> graph;
};

NearestItems::NearestItems(const at::Tensor& vectors) : impl_(std::make_unique<Impl>(vectors)) {}
NearestItems::~NearestItems() = default;
NearestItems::NearestItems(NearestItems&&) noexcept = default;
NearestItems& NearestItems::operator=(NearestItems&&) noexcept = default;

std::vector<std::int32_t> NearestItems::search(const float* user, std::size_t count) const {
  const Point point{user};
  auto found = impl_->graph.searchKnn(
      &point, std::max({count, kLeastKept, impl_->graph.cur_element_count / kItemsPerKept}));
  std::vector<std::int32_t> items(found.size());
  for (auto item = items.rbegin(); item != items.rend(); ++item, found.pop()) {
    *item = static_cast<std::int32_t>(found.top().second);
  }
  items.resize(std::min(items.size(), count));
  return items;
}

}  // namespace fastformer::recommendation
