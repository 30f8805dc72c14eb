#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace fastformer::data {

/// Sequences of token ids, in memory or in a file that is mapped into memory: a corpus may be
/// larger than the memory, and processes share it.
///
///   const auto corpus = Corpus::open("cache/train.tokens");
///   for (std::int64_t row = 0; row < corpus.size(); ++row) use(corpus.tokens(row));
///
/// A row knows the number of the record it was made of, since records without text or label can be
/// missing. Immutable; safe to share by threads.
///
/// File (little-endian): a header of 64 bytes, tokens [T] int32, zeros up to a multiple of 8,
/// offsets [N + 1] int64, records [N] int64.
class Corpus {
 public:
  /// The empty corpus.
  Corpus();
  ~Corpus();
  Corpus(Corpus&&) noexcept;
  Corpus& operator=(Corpus&&) noexcept;

  /// Reads the whole file once to compare its checksum. Throws std::invalid_argument with one
  /// sentence for a file that is missing, no corpus, of another version, cut short or damaged, and
  /// for a token outside [0, tokens), since a file with the right checksum may be of anyone.
  static Corpus open(const std::filesystem::path& path, std::int64_t tokens);

  /// Number of rows N.
  std::int64_t size() const;
  /// Throws std::out_of_range, as record() does, for a row that is not in [0, size()).
  std::span<const std::int32_t> tokens(std::int64_t row) const;
  /// Position of the row's record in its source, from 0.
  std::int64_t record(std::int64_t row) const;

  std::int64_t total_tokens() const;
  /// Rows that were cut to a limit, and rows without any token.
  std::int64_t truncated() const;
  std::int64_t empty() const;
  /// Of all that it holds; 0 for the empty corpus.
  std::uint64_t checksum() const;
  /// Tokens of each row [N].
  std::vector<std::int64_t> lengths() const;

 private:
  friend class CorpusWriter;
  struct Content;
  explicit Corpus(std::unique_ptr<const Content> content);

  std::unique_ptr<const Content> content_;  ///< null: the empty corpus
};

/// Makes a corpus row by row, in memory or in a file; with a file only 16 bytes per row stay in
/// memory.
///
///   CorpusWriter writer("cache/train.tokens");
///   writer.add(ids, record);
///   const Corpus corpus = writer.finish();  // before this, nothing is at the path
///
/// Throws std::runtime_error that names the path when the disk is full or the folder is missing.
class CorpusWriter {
 public:
  /// An empty path: in memory.
  explicit CorpusWriter(const std::filesystem::path& path = {});
  CorpusWriter(const CorpusWriter&) = delete;
  CorpusWriter& operator=(const CorpusWriter&) = delete;
  ~CorpusWriter();

  /// `truncated`: the sequence was longer than `tokens`.
  void add(std::span<const std::int32_t> tokens, std::int64_t record, bool truncated = false);
  std::int64_t size() const;
  /// To be called once, last.
  Corpus finish();

 private:
  class File;

  std::unique_ptr<File> file_;        ///< null: in memory
  std::vector<std::int32_t> tokens_;  ///< in memory only
  std::vector<std::int64_t> offsets_ = {0}, records_;
  std::int64_t truncated_ = 0;
};

}  // namespace fastformer::data
