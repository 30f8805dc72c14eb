#include "fastformer/data/batch_plan.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "fastformer/base/random.h"

namespace fastformer::data {
namespace {

using Rows = BatchPlan::Rows;
using Lengths = std::span<const std::int64_t>;

constexpr std::int64_t kWindowBatches = 50;

std::int64_t length(Lengths lengths, std::int64_t row) {
  return lengths[static_cast<std::size_t>(row)];
}

// Cuts rows into batches by the configured size.
class Cutter {
 public:
  Cutter(Lengths lengths, const BatchConfig& config)
      : lengths_(lengths),
        by_tokens_(config.batch_by == BatchUnit::kTokens),
        limit_(by_tokens_ ? config.batch_tokens : config.batch_size) {}

  std::int64_t limit() const { return limit_; }

  // An empty document costs one token, else a batch could hold any number of them.
  std::int64_t cost(std::int64_t row) const {
    return by_tokens_ ? std::max<std::int64_t>(1, length(lengths_, row)) : 1;
  }

  void cut(const Rows& rows, std::vector<Rows>& batches) const {
    std::int64_t used = limit_;
    for (const auto row : rows) {
      const std::int64_t next = cost(row);
      if (used + next > limit_) {
        batches.emplace_back();
        used = 0;
      }
      batches.back().push_back(row);
      used += next;
    }
  }

 private:
  Lengths lengths_;
  bool by_tokens_;
  std::int64_t limit_;
};

Rows all_rows(Lengths lengths) {
  Rows rows(lengths.size());
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return rows;
}

// Stable, so that rows of one length stay in shuffled order.
void sort_by_length(Lengths lengths, Rows& rows) {
  std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
    return length(lengths, a) < length(lengths, b);
  });
}

std::vector<Rows> cut_in_windows(Lengths lengths, const Cutter& cutter, const Rows& rows) {
  std::vector<Rows> batches;
  Rows window;
  std::int64_t used = 0;
  for (const auto row : rows) {
    window.push_back(row);
    used += cutter.cost(row);
    if (used < kWindowBatches * cutter.limit()) continue;
    sort_by_length(lengths, window);
    cutter.cut(window, batches);
    window.clear();
    used = 0;
  }
  sort_by_length(lengths, window);
  cutter.cut(window, batches);
  return batches;
}

}  // namespace

void BatchConfig::visit_fields(base::FieldVisitor& visit) {
  visit("batch_by", batch_by, "unit of the batch size");
  visit("batch_size", batch_size, "documents per batch (batch_by = \"examples\")",
        base::between(1, 1'000'000));
  visit("batch_tokens", batch_tokens, "maximum number of tokens per batch (batch_by = \"tokens\")",
        base::between(1, 100'000'000));
  visit("sort_by_length", sort_by_length, "put documents of similar length into the same batch");
}

BatchPlan::BatchPlan(std::vector<std::int64_t> lengths, const BatchConfig& config,
                     std::uint64_t seed)
    : lengths_(std::move(lengths)), config_(config), seed_(seed) {
  if (config.batch_size < 1) throw std::invalid_argument("batch_size must be at least 1");
  if (config.batch_tokens < 1) throw std::invalid_argument("batch_tokens must be at least 1");
}

std::vector<Rows> BatchPlan::epoch(std::int64_t number) const {
  base::Random random(base::mix64(seed_) + static_cast<std::uint64_t>(number));
  Rows rows = all_rows(lengths_);
  random.shuffle(rows);
  const Cutter cutter(lengths_, config_);
  std::vector<Rows> batches;
  if (config_.sort_by_length) {
    batches = cut_in_windows(lengths_, cutter, rows);
    random.shuffle(batches);
  } else {
    cutter.cut(rows, batches);
  }
  return batches;
}

std::vector<Rows> BatchPlan::in_order() const {
  Rows rows = all_rows(lengths_);
  if (config_.sort_by_length) sort_by_length(lengths_, rows);
  std::vector<Rows> batches;
  Cutter(lengths_, config_).cut(rows, batches);
  return batches;
}

std::int64_t BatchPlan::batches(std::int64_t epoch) const {
  if (config_.batch_by == BatchUnit::kExamples) {
    return (std::ssize(lengths_) + config_.batch_size - 1) / config_.batch_size;
  }
  return std::ssize(this->epoch(epoch));
}

}  // namespace fastformer::data
