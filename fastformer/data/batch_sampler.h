#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/data/ragged_batch.h"
#include "fastformer/data/token_set.h"

namespace fastformer::data {

/// The recipe's fields on how documents are put together into batches.
struct BatchConfig {
  std::string batch_by = "examples";  ///< "examples" or "tokens": what the size of a batch counts
  std::int64_t batch_size = 64;
  std::int64_t batch_tokens = 16384;
  bool sort_by_length = true;

  void visit_fields(base::FieldVisitor& visit) {
    visit("batch_by", batch_by, "what the size of a batch counts",
          base::one_of({"examples", "tokens"}));
    visit("batch_size", batch_size, "documents in a batch (batch_by = \"examples\")",
          base::between(1, 1'000'000));
    visit("batch_tokens", batch_tokens, "most tokens in a batch (batch_by = \"tokens\")",
          base::between(1, 100'000'000));
    visit("sort_by_length", sort_by_length, "put documents of like length together");
  }
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

/// Tokens of each row.
std::vector<std::int64_t> lengths_of(const TokenSet& set);

/// The batches of one epoch, each a list of rows; every row is in exactly one batch.
///
///   for (const auto& rows : plan_epoch(dataset.train, config, seed, epoch)) {
///     const RaggedBatch batch = gather(dataset.train, rows);
///   }
///
/// The order depends on the set, the configuration, `seed` and `epoch` alone, on every platform.
/// With sort_by_length, windows of 50 shuffled batches are sorted by length and cut, then all
/// batches are shuffled: batches hold like lengths, yet differ from epoch to epoch. A document
/// longer than batch_tokens is a batch of its own.
std::vector<std::vector<std::int64_t>> plan_epoch(const TokenSet& set, const BatchConfig& config,
                                                  std::uint64_t seed, std::int64_t epoch);

/// The batches of an evaluation: rows in order, or from the shortest to the longest with
/// sort_by_length (RaggedBatch::rows tells which they are).
std::vector<std::vector<std::int64_t>> plan_in_order(const TokenSet& set,
                                                     const BatchConfig& config);

/// The same for rows of which only the lengths [N] are known.
std::vector<std::vector<std::int64_t>> plan_epoch(std::span<const std::int64_t> lengths,
                                                  const BatchConfig& config, std::uint64_t seed,
                                                  std::int64_t epoch);
std::vector<std::vector<std::int64_t>> plan_in_order(std::span<const std::int64_t> lengths,
                                                     const BatchConfig& config);

/// Copies the rows into a batch. Throws std::out_of_range for a row the set does not have.
RaggedBatch gather(const TokenSet& set, std::span<const std::int64_t> rows);

}  // namespace fastformer::data
