#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fastformer/data/pair_config.h"

namespace fastformer::data {

/// A document and its summary. Where the source tells sentences apart, each is a line.
struct TextPair {
  std::string source;
  std::string target;
  std::string where;  ///< "train.jsonl:17", for messages

  bool empty() const { return source.empty() || target.empty(); }
};

/// Reads the pairs of one file (or folder) one after another.
///
///   const auto reader = open_pair_reader(config, "train.jsonl");
///   for (TextPair pair; reader->next(pair);) use(pair);
class PairReader {
 public:
  virtual ~PairReader() = default;

  /// Puts the next pair into `pair`; false at the end. Either text may be empty. Throws
  /// std::invalid_argument that names file and line for a pair that cannot be read.
  virtual bool next(TextPair& pair) = 0;
};

/// The reader that config.format names (see pair_reader_registry.cc):
///
///   jsonl     an object a line; source_field and target_field are texts or lists of sentences
///   story     a folder of .story files (CNN/DailyMail), or one of them
///   pubmed    the JSON Lines of Cohan et al. 2018: article_text, abstract_text
///   parallel  `entry` + "." + source_field and `entry` + "." + target_field, line by line
///
/// Of both texts "\r\n" and "\r" become "\n" and the white space around them goes; markup stays.
/// Throws std::invalid_argument with one sentence for an unknown format, for a file that cannot be
/// read and, at the first next(), for one that holds no pairs.
std::unique_ptr<PairReader> open_pair_reader(const PairDataConfig& config,
                                             const std::filesystem::path& entry);

/// The files or folders that the reader of `entry` reads.
std::vector<std::filesystem::path> pair_sources(const PairDataConfig& config,
                                                const std::filesystem::path& entry);

/// Calls `visit` with each pair of all `entries`, in order.
void for_each_pair(const PairDataConfig& config, const std::vector<std::string>& entries,
                   const std::function<void(TextPair&)>& visit);

}  // namespace fastformer::data
