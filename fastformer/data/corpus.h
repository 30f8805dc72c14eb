#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace fastformer::data {

/// Sequences of token ids, in memory or in a memory-mapped file: a mapped corpus can exceed the
/// main memory, and processes share it.
///
///   const auto corpus = Corpus::open("cache/train.tokens");
///   for (std::int64_t row = 0; row < corpus.size(); ++row) use(corpus.tokens(row));
///
/// Each row stores the number of the record that it comes from, because records without text or
/// label may have been dropped. Immutable; safe to share between threads.
///
/// File format (little-endian): a header of 64 bytes, tokens [T] int32, zeros up to a multiple of 8
/// bytes, offsets [N + 1] int64, records [N] int64.
class Corpus {
 public:
  /// Creates an empty corpus.
  Corpus();
  ~Corpus();
  Corpus(Corpus&&) noexcept;
  Corpus& operator=(Corpus&&) noexcept;

  /// Reads the whole file once to verify its checksum. Throws std::invalid_argument if the file is
  /// missing, not a corpus, of another version, truncated or damaged, and for a token outside
  /// [0, tokens), since a file with the right checksum may come from anyone.
  static Corpus open(const std::filesystem::path& path, std::int64_t tokens);

  /// Number of rows N.
  std::int64_t size() const;
  /// The token ids of a row. Throws std::out_of_range unless 0 <= row < size(), as record() does.
  std::span<const std::int32_t> tokens(std::int64_t row) const;
  /// Index of the row's record in its source, from 0.
  std::int64_t record(std::int64_t row) const;

  std::int64_t total_tokens() const;
  /// Number of rows that were truncated to a limit, and number of rows without tokens.
  std::int64_t truncated() const;
  std::int64_t empty() const;
  /// Checksum of the whole content; 0 for the empty corpus.
  std::uint64_t checksum() const;
  /// The number of tokens of each row, [N].
  std::vector<std::int64_t> lengths() const;

 private:
  friend class CorpusWriter;
  struct Content;
  explicit Corpus(std::unique_ptr<const Content> content);

  std::unique_ptr<const Content> content_;  ///< null: the empty corpus
};

/// Writes a corpus row by row, to memory or to a file. If it writes to a file, it keeps only 16
/// bytes per row in memory.
///
///   CorpusWriter writer("cache/train.tokens");
///   writer.add(ids, record);
///   const Corpus corpus = writer.finish();  // the file appears only now
///
/// Throws std::runtime_error naming the path if the file cannot be written.
class CorpusWriter {
 public:
  /// `path` empty: in memory.
  explicit CorpusWriter(const std::filesystem::path& path = {});
  CorpusWriter(const CorpusWriter&) = delete;
  CorpusWriter& operator=(const CorpusWriter&) = delete;
  ~CorpusWriter();

  /// `truncated`: `tokens` is only the beginning of the sequence.
  void add(std::span<const std::int32_t> tokens, std::int64_t record, bool truncated = false);
  std::int64_t size() const;
  /// Call it once, as the last function.
  Corpus finish();

 private:
  class File;

  std::unique_ptr<File> file_;        ///< null: in memory
  std::vector<std::int32_t> tokens_;  ///< in memory only
  std::vector<std::int64_t> offsets_ = {0}, records_;
  std::int64_t truncated_ = 0;
};

}  // namespace fastformer::data
