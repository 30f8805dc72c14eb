#include "fastformer/data/parallel_reader.h"

#include <stdexcept>

#include "fastformer/data/utf8.h"

namespace fastformer::data {
namespace {

std::string count_text(LineStream& lines) {
  std::string line;
  while (lines.next(line)) continue;
  return lines.name() + " has " + std::to_string(lines.line_number()) + " lines";
}

}  // namespace

bool ParallelReader::next(TextPair& pair) {
  const bool source = sources_.next(pair.source), target = targets_.next(pair.target);
  if (source != target) {
    throw std::invalid_argument(count_text(sources_) + ", but " + count_text(targets_) +
                                "; line n of one belongs to line n of the other, so both need as "
                                "many");
  }
  if (!source) return false;
  pair.where = sources_.where();
  check_text(pair.source, pair.where);
  check_text(pair.target, targets_.where());
  return true;
}

}  // namespace fastformer::data
