#include "fastformer/kernels/nearest_rows.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "fastformer/kernels/parallel.h"
#include "fastformer/kernels/products/gemm.h"

namespace fastformer::kernels {
namespace {

// A block of cosines stays in the L2 cache.
constexpr std::size_t kQueryBlock = 16, kRowBlock = 4096;
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

// Scales each vector to length 1 in place.
Vectors to_unit(Vectors vectors, const char* what) {
  if (vectors.rows() == 0) throw std::invalid_argument(std::string("there are no ") + what);
  for (std::size_t i = 0; i < vectors.rows(); ++i) {
    const auto row = std::span(vectors.values).subspan(i * vectors.width, vectors.width);
    double squares = 0;
    for (const float value : row) squares += double{value} * double{value};
    if (!std::isfinite(squares)) {
      throw std::invalid_argument(std::string("row ") + std::to_string(i + 1) + " of the " + what +
                                  " holds a number that is not finite; compute it again");
    }
    const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
    for (float& value : row) value = static_cast<float>(value * scale);
  }
  return vectors;
}

bool nearer(const Neighbor& a, const Neighbor& b) {
  return a.similarity != b.similarity ? a.similarity > b.similarity : a.row < b.row;
}

// The k best so far as a heap whose first element is the worst of them.
class Best {
 public:
  explicit Best(std::size_t k) : k_(k) {}

  void add(const Neighbor& candidate) {
    if (kept_.size() == k_ && !nearer(candidate, kept_.front())) return;
    if (kept_.size() == k_) {
      std::pop_heap(kept_.begin(), kept_.end(), nearer);
      kept_.back() = candidate;
    } else {
      kept_.push_back(candidate);
    }
    std::push_heap(kept_.begin(), kept_.end(), nearer);
  }

  std::vector<Neighbor> take() {
    std::sort_heap(kept_.begin(), kept_.end(), nearer);
    // Rounding may lead out of the range of a cosine.
    for (auto& one : kept_) one.similarity = std::clamp(one.similarity, -1.0F, 1.0F);
    return std::move(kept_);
  }

 private:
  std::size_t k_;
  std::vector<Neighbor> kept_;
};

// `own`: the row that each query is; kNone: none.
std::vector<std::vector<Neighbor>> search_unit(const Vectors& unit, const Vectors& queries,
                                               std::span<const std::size_t> own, std::size_t k) {
  std::vector<std::vector<Neighbor>> result(queries.rows());
  k = std::min(k, unit.rows());
  if (k == 0) return result;
  const auto blocks = (queries.rows() + kQueryBlock - 1) / kQueryBlock;
  parallel_for(0, static_cast<std::int64_t>(blocks), 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> cosines(kQueryBlock * kRowBlock);
    const auto width = static_cast<std::int64_t>(unit.width);
    for (auto block = static_cast<std::size_t>(begin); block < static_cast<std::size_t>(end);
         ++block) {
      const auto first = block * kQueryBlock;
      const auto count = std::min(kQueryBlock, queries.rows() - first);
      std::vector<Best> best(count, Best(k));
      for (std::size_t row = 0; row < unit.rows(); row += kRowBlock) {
        const auto rows = std::min(kRowBlock, unit.rows() - row);
        gemm(Transpose::kNo, Transpose::kYes, static_cast<std::int64_t>(count),
             static_cast<std::int64_t>(rows), width, queries.row(first).data(), width,
             unit.row(row).data(), width, Start<float>{}, cosines.data(),
             static_cast<std::int64_t>(rows));
        for (std::size_t q = 0; q < count; ++q) {
          for (std::size_t r = 0; r < rows; ++r) {
            if (row + r != own[first + q]) best[q].add({row + r, cosines[q * rows + r]});
          }
        }
      }
      for (std::size_t q = 0; q < count; ++q) result[first + q] = best[q].take();
    }
  });
  return result;
}

}  // namespace

NearestRows::NearestRows(Vectors vectors) : unit_(to_unit(std::move(vectors), "vectors")) {}

std::vector<std::vector<Neighbor>> NearestRows::search(Vectors queries, std::size_t k) const {
  if (queries.width != width()) {
    throw std::invalid_argument("the queries have the width " + std::to_string(queries.width) +
                                ", the vectors " + std::to_string(width()) +
                                "; take both from one model");
  }
  const auto unit = to_unit(std::move(queries), "queries");
  return search_unit(unit_, unit, std::vector<std::size_t>(unit.rows(), kNone), k);
}

std::vector<std::vector<Neighbor>> NearestRows::search_rows(std::span<const std::size_t> rows,
                                                            std::size_t k) const {
  Vectors queries{.width = width(), .values = {}};
  for (const auto row : rows) {
    if (row >= this->rows()) {
      throw std::invalid_argument("row " + std::to_string(row + 1) + " does not exist; there are " +
                                  std::to_string(this->rows()) + " rows");
    }
    const auto values = unit_.row(row);
    queries.values.insert(queries.values.end(), values.begin(), values.end());
  }
  return search_unit(unit_, queries, rows, k);
}

}  // namespace fastformer::kernels
