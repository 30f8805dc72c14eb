#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "fastformer/data/line_stream.h"
#include "fastformer/summarization/readers/formats.h"

namespace fastformer::summarization {
namespace {

std::string count_text(data::LineStream& lines) {
  std::string line;
  while (lines.next(line)) continue;
  return lines.name() + " has " + std::to_string(lines.line_number()) + " lines";
}

class ParallelReader final : public PairReader {
 public:
  ParallelReader(const std::filesystem::path& source_file, const std::filesystem::path& target_file,
                 const data::TextEncoding& encoding)
      : sources_(source_file, encoding), targets_(target_file, encoding) {}
  bool next(TextPair& pair) override;

 private:
  data::LineStream sources_, targets_;
};

bool ParallelReader::next(TextPair& pair) {
  const bool source = sources_.next(pair.source), target = targets_.next(pair.target);
  if (source != target) {
    throw std::invalid_argument(count_text(sources_) + ", but " + count_text(targets_) +
                                "; both files need the same number of lines, because line n of one "
                                "belongs to line n of the other");
  }
  if (!source) return false;
  pair.where = sources_.where();
  return true;
}

}  // namespace

std::unique_ptr<PairReader> open_parallel(const std::filesystem::path& source_file,
                                          const std::filesystem::path& target_file,
                                          const data::TextEncoding& encoding) {
  return std::make_unique<ParallelReader>(source_file, target_file, encoding);
}

}  // namespace fastformer::summarization
