#include "fastformer/data/batch_sampler.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "fastformer/base/random.h"

namespace fastformer::data {
namespace {

using Rows = std::vector<std::int64_t>;
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
        by_tokens_(config.batch_by == "tokens"),
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

void BatchConfig::validate() const {
  if (batch_by != "examples" && batch_by != "tokens") {
    throw std::invalid_argument("batch_by is '" + batch_by +
                                "', but must be \"examples\" or \"tokens\"");
  }
  if (batch_size < 1) throw std::invalid_argument("batch_size must be at least 1");
  if (batch_tokens < 1) throw std::invalid_argument("batch_tokens must be at least 1");
}

Rows lengths_of(const TokenSet& set) {
  Rows lengths(static_cast<std::size_t>(set.size()));
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    lengths[i] = static_cast<std::int64_t>(set.tokens(static_cast<std::int64_t>(i)).size());
  }
  return lengths;
}

std::vector<Rows> plan_epoch(Lengths lengths, const BatchConfig& config, std::uint64_t seed,
                             std::int64_t epoch) {
  config.validate();
  base::Random random(base::mix64(seed) + static_cast<std::uint64_t>(epoch));
  Rows rows = all_rows(lengths);
  random.shuffle(rows);
  const Cutter cutter(lengths, config);
  std::vector<Rows> batches;
  if (config.sort_by_length) {
    batches = cut_in_windows(lengths, cutter, rows);
    random.shuffle(batches);
  } else {
    cutter.cut(rows, batches);
  }
  return batches;
}

std::vector<Rows> plan_in_order(Lengths lengths, const BatchConfig& config) {
  config.validate();
  Rows rows = all_rows(lengths);
  if (config.sort_by_length) sort_by_length(lengths, rows);
  std::vector<Rows> batches;
  Cutter(lengths, config).cut(rows, batches);
  return batches;
}

std::vector<Rows> plan_epoch(const TokenSet& set, const BatchConfig& config, std::uint64_t seed,
                             std::int64_t epoch) {
  return plan_epoch(lengths_of(set), config, seed, epoch);
}

std::vector<Rows> plan_in_order(const TokenSet& set, const BatchConfig& config) {
  return plan_in_order(lengths_of(set), config);
}

RaggedBatch gather(const TokenSet& set, std::span<const std::int64_t> rows) {
  RaggedBatch batch;
  batch.rows.assign(rows.begin(), rows.end());
  batch.labels.reserve(rows.size());
  batch.offsets.reserve(rows.size() + 1);
  batch.offsets.push_back(0);
  for (const auto row : rows) {
    batch.labels.push_back(set.label(row));
    batch.offsets.push_back(batch.offsets.back() +
                            static_cast<std::int64_t>(set.tokens(row).size()));
  }
  batch.ids.reserve(static_cast<std::size_t>(batch.offsets.back()));
  for (const auto row : rows) {
    const auto tokens = set.tokens(row);
    batch.ids.insert(batch.ids.end(), tokens.begin(), tokens.end());
  }
  return batch;
}

}  // namespace fastformer::data
