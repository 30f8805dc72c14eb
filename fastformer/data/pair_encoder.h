#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "fastformer/data/chunk_queue.h"
#include "fastformer/data/pair_config.h"
#include "fastformer/data/pair_dataset.h"
#include "fastformer/data/tokenize.h"

namespace fastformer::data {

/// The two files of a part while they are written, and what was left out of them.
class PairWriter {
 public:
  PairWriter(const std::filesystem::path& folder, const std::string& part)
      : source_(source_tokens(folder, part)), target_(target_tokens(folder, part)) {}

  void add(const LimitedIds& source, const LimitedIds& target, std::int32_t number);
  void finish();

  PairCounts dropped;
  std::int64_t size() const { return size_; }

 private:
  TokenSetWriter source_, target_;
  std::int64_t size_ = 0;
};

/// DocumentEncoder for pairs: encodes on other threads, writes in order, and leaves out pairs that
/// are empty or shorter than the configuration asks for.
class PairEncoder {
 public:
  PairEncoder(const text::Tokenizer& tokenizer, const PairDataConfig& config);

  /// `number`: of the pair among all of its files.
  void add(TextPair pair, std::int32_t number, PairWriter& writer);
  void finish() { queue_.finish(); }

 private:
  struct Item {
    TextPair pair;
    std::int32_t number;
    PairWriter* writer;
    LimitedIds source, target;
  };

  ChunkQueue<Item> queue_;
};

}  // namespace fastformer::data
