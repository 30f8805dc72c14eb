#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fastformer::summarization {

struct DataConfig;

/// A document and its summary. If the source marks sentences, each sentence is a line.
struct TextPair {
  std::string source;
  std::string target;
  std::string where;  ///< "train.jsonl:17", for messages

  bool empty() const { return source.empty() || target.empty(); }
};

/// Reads the pairs of one file (or folder), one at a time.
///
///   const auto reader = open_pair_reader(config, "train.jsonl");
///   for (TextPair pair; reader->next(pair);) use(pair);
class PairReader {
 public:
  virtual ~PairReader() = default;

  /// Reads the next pair into `pair`; false at the end. Either text may be empty. Throws
  /// std::invalid_argument that names file and line for a pair that cannot be read.
  virtual bool next(TextPair& pair) = 0;
};

/// A row of the table of pair formats.
struct PairReaderRow {
  using Sources = std::vector<std::filesystem::path>;

  std::string name;
  std::function<std::unique_ptr<PairReader>(const DataConfig&, const Sources&)> open;
  /// The files or folders that an entry of data.train, data.validation or data.test stands for;
  /// null: the entry itself.
  std::function<Sources(const DataConfig&, const std::filesystem::path& entry)> sources = nullptr;
  bool has_fields = false;  ///< data.source_field and data.target_field are used
};

/// Adds a format of another program. Call it before other threads use the library. Throws
/// std::invalid_argument if the name is already in use.
void register_pair_reader(PairReaderRow row);
std::vector<std::string> pair_reader_names();
/// See PairReaderRow::has_fields.
bool has_fields(const std::string& format);

/// The reader of config.format. In both texts, "\r\n" and "\r" become "\n", and surrounding white
/// space is removed; markup is kept. Throws std::invalid_argument with one sentence for an
/// unknown format, for a file that cannot be read and, at the first next(), for a file without
/// pairs.
std::unique_ptr<PairReader> open_pair_reader(const DataConfig& config,
                                             const std::filesystem::path& entry);
/// The files or folders that the reader of `entry` reads.
std::vector<std::filesystem::path> pair_sources(const DataConfig& config,
                                                const std::filesystem::path& entry);
/// Calls `visit` with each pair of all `entries`, in order.
void for_each_pair(const DataConfig& config, const std::vector<std::string>& entries,
                   const std::function<void(TextPair&)>& visit);

}  // namespace fastformer::summarization
