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

/// The n-grams that a model knows, as columns 0 to size() - 1 in the order of their frequency.
///
///   const auto table = NgramTable::learn(config, text_config, training_texts);
///   std::vector<std::int32_t> columns;
///   table.encode("Oil prices fall", columns);
///
/// Immutable; safe to share by threads.
class NgramTable {
 public:
  NgramTable(const NgramConfig& config, const text::TokenizerConfig& text,
             std::vector<std::uint64_t> keys);

  /// The n-grams that at least two texts have. Holds at most 16 million n-grams at a time: beyond
  /// that it forgets those that one text has had so far.
  static NgramTable learn(const NgramConfig& config, const text::TokenizerConfig& text,
                          const text::TextSource& texts);
  /// The `count` most frequent n-grams of this table.
  NgramTable most_frequent(std::int64_t count) const;

  /// Appends the column of each known n-gram of `text`, in the order of the text.
  void encode(std::string_view text, std::vector<std::int32_t>& columns) const;
  /// The known n-grams of `text` with their spelling, each once.
  std::vector<std::pair<std::int32_t, std::string>> spellings(std::string_view text) const;

  std::int64_t size() const { return static_cast<std::int64_t>(keys_.size()); }
  std::span<const std::uint64_t> keys() const { return keys_; }
  NgramKey key(std::int32_t column) const {
    return NgramKey(keys_[static_cast<std::size_t>(column)]);
  }
  const NgramConfig& config() const { return reader_.config(); }
  /// The normalization of texts.
  const text::TokenizerConfig& text_config() const { return text_config_; }

 private:
  struct Slot {
    std::uint32_t check = 0;
    std::int32_t column = -1;  // -1: the slot is free
  };
  std::int32_t find(std::uint64_t key) const;

  text::TokenizerConfig text_config_;
  NgramReader reader_;
  std::vector<std::uint64_t> keys_;
  std::vector<Slot> slots_;  // a power of two of them
};

}  // namespace fastformer::linear
