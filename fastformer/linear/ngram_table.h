#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fastformer/linear/ngrams.h"

namespace fastformer::linear {

/// The n-grams that a model uses, as columns 0 to size() - 1 in descending order of frequency.
///
///   const auto table = NgramTable::learn(config, text_config, training_texts);
///   std::vector<std::int32_t> columns;
///   table.encode("Oil prices fall", columns);
///
/// Immutable; safe to share between threads.
class NgramTable {
 public:
  NgramTable(const NgramConfig& config, const text::TokenizerConfig& text,
             std::vector<std::uint64_t> keys);

  /// Learns the n-grams that occur in at least two texts; of fewer than 3,000 texts, all n-grams.
  /// Stores at most 16 million n-grams at a time; when there are more, those seen in only one text
  /// so far are dropped.
  static NgramTable learn(const NgramConfig& config, const text::TokenizerConfig& text,
                          const text::TextSource& texts);
  /// Whether n-grams of one text are kept.
  static bool keeps_single_texts(std::int64_t texts) { return texts < 3000; }
  /// The `count` most frequent n-grams of this table.
  NgramTable most_frequent(std::int64_t count) const;

  /// Appends the column of each known n-gram of `text`, with repetitions. Equal texts have their
  /// columns in the same order. The table keeps a cache of the columns of words, of at most 9 MB
  /// for each thread that encodes at the same time.
  void encode(std::string_view text, std::vector<std::int32_t>& columns) const;
  /// The columns and spellings of the known n-grams of `text`, each once.
  std::vector<std::pair<std::int32_t, std::string>> spellings(std::string_view text) const;

  std::int64_t size() const { return static_cast<std::int64_t>(keys_.size()); }
  std::span<const std::uint64_t> keys() const { return keys_; }
  NgramKey key(std::int32_t column) const {
    return NgramKey(keys_[static_cast<std::size_t>(column)]);
  }
  const NgramConfig& config() const { return reader_.config(); }
  /// How texts are normalized.
  const text::TokenizerConfig& text_config() const { return text_config_; }

 private:
  struct Slot {
    std::uint32_t check = 0;
    std::int32_t column = -1;  // -1: the slot is free
  };
  class WordCache;
  class CachePool;

  std::int32_t find(NgramKey key) const;
  void prefetch(NgramKey key) const;
  void append_columns(const NgramWord& word, std::vector<std::int32_t>& columns) const;

  text::TokenizerConfig text_config_;
  NgramReader reader_;
  std::vector<std::uint64_t> keys_;
  std::vector<Slot> slots_;  // a power of two of them
  std::shared_ptr<CachePool> caches_;
};

}  // namespace fastformer::linear
