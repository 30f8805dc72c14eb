#pragma once

#include <cstdint>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::data {

/// What the size of a batch counts.
enum class BatchUnit : std::uint8_t { kExamples, kTokens };

/// The recipe's fields on how documents are put together into batches.
struct BatchConfig {
  BatchUnit batch_by = BatchUnit::kExamples;
  std::int64_t batch_size = 64;
  std::int64_t batch_tokens = 16384;
  bool sort_by_length = true;

  void visit_fields(base::FieldVisitor& visit);
};

/// The rows of each batch of a data set.
///
///   const BatchPlan plan(corpus.lengths(), config, seed);
///   for (const auto& rows : plan.epoch(0)) use(gather(corpus, rows));
class BatchPlan {
 public:
  using Rows = std::vector<std::int64_t>;

  /// `lengths` [N] of the rows in tokens. Throws std::invalid_argument for a size below 1.
  BatchPlan(std::vector<std::int64_t> lengths, const BatchConfig& config, std::uint64_t seed = 0);

  /// The batches of one epoch; every row is in exactly one. They depend on the lengths, the
  /// configuration, the seed and the number of the epoch alone, on every platform. With
  /// sort_by_length, windows of 50 shuffled batches are sorted by length and cut, then all batches
  /// are shuffled: batches hold like lengths, yet differ from epoch to epoch. A document longer
  /// than batch_tokens is a batch of its own.
  std::vector<Rows> epoch(std::int64_t number) const;

  /// The batches of an evaluation: rows in order, or from the shortest to the longest with
  /// sort_by_length.
  std::vector<Rows> in_order() const;

  /// How many batches an epoch has.
  std::int64_t batches(std::int64_t epoch) const;

 private:
  std::vector<std::int64_t> lengths_;
  BatchConfig config_;
  std::uint64_t seed_;
};

}  // namespace fastformer::data

namespace fastformer::base {
template <>
inline constexpr std::array kWords<data::BatchUnit> = {"examples", "tokens"};
}  // namespace fastformer::base
