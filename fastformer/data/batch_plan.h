#pragma once

#include <cstdint>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::data {

/// The unit of the batch size.
enum class BatchUnit : std::uint8_t { kExamples, kTokens };

/// The fields of a recipe that define how documents are combined into batches.
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

  /// `lengths` [N]: tokens of each row. Throws std::invalid_argument for a batch size below 1.
  BatchPlan(std::vector<std::int64_t> lengths, const BatchConfig& config, std::uint64_t seed = 0);

  /// The batches of one epoch; every row is in exactly one. They depend only on the lengths, the
  /// configuration, the seed and the number of the epoch, on every platform. With sort_by_length,
  /// rows are shuffled, each window of 50 batches is sorted by length and divided into batches, and
  /// all batches are shuffled. So the rows of a batch have similar lengths, and epochs differ. A
  /// document longer than batch_tokens forms a batch of its own.
  std::vector<Rows> epoch(std::int64_t number) const;

  /// The batches of an evaluation: rows in order, or from the shortest to the longest with
  /// sort_by_length.
  std::vector<Rows> in_order() const;

  /// The number of batches of an epoch.
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
