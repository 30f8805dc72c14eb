#pragma once

#include <filesystem>

#include "fastformer/data/line_stream.h"
#include "fastformer/data/pair_reader.h"

namespace fastformer::data {

/// Two text files that belong together line by line: line n of one is the document, of the other
/// the summary. A blank line is an empty text. Throws std::invalid_argument from next(), after the
/// last pair, when one file has more lines than the other.
class ParallelReader final : public PairReader {
 public:
  ParallelReader(const std::filesystem::path& source_file, const std::filesystem::path& target_file)
      : sources_(source_file), targets_(target_file) {}
  bool next(TextPair& pair) override;

 private:
  LineStream sources_, targets_;
};

}  // namespace fastformer::data
