#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fastformer/text/token_table.h"

namespace fastformer::text {

/// A hash for looking up std::string keys by std::string_view without a copy.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
using TokenCounts = std::unordered_map<std::string, std::int64_t, StringHash, std::equal_to<>>;

/// Counts tokens in bounded memory: when there are more than `limit` different ones, the rarest
/// half is forgotten, and counts from 0 when it comes again.
class TokenCounter {
 public:
  static constexpr std::size_t kLimit = std::size_t{1} << 24;  ///< about 2 GB

  explicit TokenCounter(std::size_t limit = kLimit) : limit_(limit) {}

  void add(std::string_view token);
  const TokenCounts& counts() const { return counts_; }
  TokenCounts take() { return std::move(counts_); }

 private:
  std::size_t limit_;
  TokenCounts counts_;
};

/// Tokens and their ids. Stored in the usual vocab.txt format: one token per line, whose line
/// number, from 0, is the id.
class Vocabulary {
 public:
  /// [PAD], [UNK], then the tokens by descending count, equal counts in byte order. Drops tokens
  /// with a count below `minimum_count` or with control characters; keeps at most `size_limit`.
  static Vocabulary from_counts(const TokenCounts& counts, std::int64_t minimum_count,
                                std::int64_t size_limit);
  /// These tokens with their ids, then those of `counts` that they lack, chosen in the same way:
  /// `size_limit` at most, but at least these.
  Vocabulary extended(const TokenCounts& counts, std::int64_t minimum_count,
                      std::int64_t size_limit) const;
  /// A token on two lines has the id of the last, as in the package transformers. Throws
  /// std::invalid_argument for a missing file, a token with a control character, or a file without
  /// [UNK].
  static Vocabulary load(const std::filesystem::path& path);
  /// The same for the tokens of a file that has another format.
  static Vocabulary from_tokens(std::vector<std::string> tokens, const std::string& file);
  void save(const std::filesystem::path& path) const;

  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  /// The id of `token`; that of [UNK] if the vocabulary lacks it.
  std::int32_t id(std::string_view token) const { return id(token, TokenTable::hash_of(token)); }
  /// The same. `hash`: TokenTable::hash_of(token); prefetch(hash) some time before saves a cache
  /// miss.
  std::int32_t id(std::string_view token, std::uint64_t hash) const;
  void prefetch(std::uint64_t hash) const { ids_.prefetch(hash); }
  bool contains(std::string_view token) const { return ids_.find(token) >= 0; }
  const std::string& token(std::int32_t id) const { return tokens_.at(id); }
  std::int32_t pad_id() const { return pad_id_; }
  std::int32_t unknown_id() const { return unknown_id_; }

 private:
  explicit Vocabulary(std::vector<std::string> tokens);

  std::vector<std::string> tokens_;
  TokenTable ids_;
  std::int32_t pad_id_ = 0, unknown_id_ = 0;
};

}  // namespace fastformer::text
