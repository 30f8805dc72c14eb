#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "fastformer/data/pair_reader.h"

namespace fastformer::data {

/// The .story files of CNN and DailyMail (Hermann et al. 2015): paragraphs of the article with
/// blank lines between, then the sentences of the summary, each below a line "@highlight".
/// Paragraphs and sentences become lines. A file without "@highlight" has an empty summary.
///
/// Reads one such file, or all of a folder in the order of their names.
class StoryReader final : public PairReader {
 public:
  /// Throws std::invalid_argument when the folder holds no .story file.
  explicit StoryReader(const std::filesystem::path& path);
  bool next(TextPair& pair) override;

 private:
  std::vector<std::filesystem::path> files_;
  std::size_t position_ = 0;
};

}  // namespace fastformer::data
