#include "fastformer/recommendation/nearest_items.h"

// The version of Debian 12 prefetches beyond the end of lists, and defines functions that are not
// inline; distances are our own.
#define NO_MANUAL_VECTORIZATION
#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "fastformer/kernels/row_dots.h"

namespace fastformer::recommendation {
namespace {

// Links per item and level, and how many near items are considered for them.
constexpr std::size_t kLinks = 16, kConsidered = 120;
// The least number of items that a search keeps: more find more of the nearest and take longer.
constexpr std::size_t kLeastKept = 200;

// The vector to which an item of the graph points: vectors are stored once.
const float* vector_of(const void* item) {
  const float* vector = nullptr;
  std::memcpy(&vector, item, sizeof vector);  // the graph does not align it
  return vector;
}

class InnerProduct final : public hnswlib::SpaceInterface<float> {
 public:
  explicit InnerProduct(std::size_t width) : width_(width) {}

  std::size_t get_data_size() override { return sizeof(const float*); }
  hnswlib::DISTFUNC<float> get_dist_func() override {
    return [](const void* a, const void* b, const void* width) {
      float product = 0;
      kernels::row_dots(vector_of(a), vector_of(b), 0, 1,
                        static_cast<std::int64_t>(*static_cast<const std::size_t*>(width)),
                        &product);
      return -product;
    };
  }
  void* get_dist_func_param() override { return &width_; }

 private:
  std::size_t width_;
};

}  // namespace

struct NearestItems::Impl {
  explicit Impl(const at::Tensor& all)
      : vectors(all.to(at::kFloat).contiguous()),
        space(std::make_unique<InnerProduct>(static_cast<std::size_t>(vectors.size(1)))),
        graph(space.get(), std::max<std::size_t>(static_cast<std::size_t>(vectors.size(0)), 1), kLinks,
              kConsidered) {
    for (std::int64_t row = 0; row < vectors.size(0); ++row) {
      const float* vector = vectors.const_data_ptr<float>() + row * vectors.size(1);
      graph.addPoint(&vector, static_cast<std::size_t>(row));
    }
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
  auto found = impl_->graph.searchKnn(&user, std::max(count, kLeastKept));
  std::vector<std::int32_t> items(found.size());
  for (auto item = items.rbegin(); item != items.rend(); ++item, found.pop()) {
    *item = static_cast<std::int32_t>(found.top().second);
  }
  items.resize(std::min(items.size(), count));
  return items;
}

}  // namespace fastformer::recommendation
