#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "fastformer/data/ragged_batch.h"
#include "fastformer/data/token_set.h"

namespace fastformer::data {

/// The documents and summaries of a part as token ids; row i of one belongs to row i of the other.
/// The label of a row is the number of its pair, from 0, among all that the part's files hold.
struct PairSet {
  TokenSet source, target;

  /// Opens `folder`/`part`.source.tokens and .target.tokens. Throws std::invalid_argument as
  /// TokenSet does, and when they are of unequal size.
  static PairSet open(const std::filesystem::path& folder, const std::string& part);

  std::int64_t size() const { return source.size(); }
  /// Tokens of document and summary of each row, for plans of batches:
  ///
  ///   const BatchConfig config{.batch_by = "tokens", .batch_tokens = 8192};
  ///   for (const auto& rows : plan_epoch(set.lengths(), config, seed, epoch)) {
  ///     const PairBatch batch = gather(set, rows);
  ///   }
  std::vector<std::int64_t> lengths() const;
};

/// Rows of a PairSet: sequence b of `source` belongs to sequence b of `target`.
struct PairBatch {
  RaggedBatch source, target;
};

/// Throws std::out_of_range for a row that the set does not have.
PairBatch gather(const PairSet& set, std::span<const std::int64_t> rows);

/// The two files of a part, in this order: documents, summaries.
std::filesystem::path source_tokens(const std::filesystem::path& folder, const std::string& part);
std::filesystem::path target_tokens(const std::filesystem::path& folder, const std::string& part);

}  // namespace fastformer::data
