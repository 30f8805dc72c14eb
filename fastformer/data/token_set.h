#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace fastformer::data {

/// The token ids and labels of many documents in a file that is mapped into memory: a set may be
/// larger than the memory, and processes share it.
///
///   const auto set = TokenSet::open("cache/train.tokens");
///   for (std::int64_t row = 0; row < set.size(); ++row) use(set.tokens(row), set.label(row));
///
/// File (little-endian): a header of 64 bytes, tokens [T] int32, zeros up to a multiple of 8,
/// offsets [N+1] int64, labels [N] int32. Safe to share by threads.
class TokenSet {
 public:
  /// The empty set.
  TokenSet();
  ~TokenSet();
  TokenSet(TokenSet&&) noexcept;
  TokenSet& operator=(TokenSet&&) noexcept;

  /// Reads the whole file once to compare its checksum. Throws std::invalid_argument with one
  /// sentence for a file that is missing, no token set, of another version, cut short or damaged.
  static TokenSet open(const std::filesystem::path& path);

  std::int64_t size() const;
  /// Throws std::out_of_range, as label() does, for a row that is not in [0, size()).
  std::span<const std::int32_t> tokens(std::int64_t row) const;
  /// -1: the row has none.
  std::int32_t label(std::int64_t row) const;

  std::int64_t total_tokens() const;
  /// Documents that lost their tail, and documents without any token.
  std::int64_t truncated() const;
  std::int64_t empty() const;

 private:
  struct Content;
  std::unique_ptr<const Content> content_;  ///< null: the empty set
};

/// Writes a token set row by row; of a row only 12 bytes stay in memory.
///
///   TokenSetWriter writer("cache/train.tokens");
///   writer.add(ids, label);
///   writer.finish();  // before this, nothing is at the path
///
/// Throws std::runtime_error that names the path when the disk is full or the folder is missing.
class TokenSetWriter {
 public:
  explicit TokenSetWriter(const std::filesystem::path& path);
  TokenSetWriter(const TokenSetWriter&) = delete;
  TokenSetWriter& operator=(const TokenSetWriter&) = delete;
  ~TokenSetWriter();

  /// `label` -1: none. `truncated`: the document was longer than `tokens`.
  void add(std::span<const std::int32_t> tokens, std::int32_t label, bool truncated = false);
  void finish();

 private:
  void write(const void* data, std::size_t size);
  void flush();
  [[noreturn]] void fail(int error) const;

  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
  std::vector<char> buffer_;
  std::vector<std::int64_t> offsets_ = {0};
  std::vector<std::int32_t> labels_;
  std::uint64_t checksum_;
  std::int64_t truncated_ = 0;
};

}  // namespace fastformer::data
