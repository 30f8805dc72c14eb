#include "fastformer/data/pair_set.h"

#include <stdexcept>

#include "fastformer/data/batch_sampler.h"

namespace fastformer::data {

namespace fs = std::filesystem;

fs::path source_tokens(const fs::path& folder, const std::string& part) {
  return folder / (part + ".source.tokens");
}

fs::path target_tokens(const fs::path& folder, const std::string& part) {
  return folder / (part + ".target.tokens");
}

PairSet PairSet::open(const fs::path& folder, const std::string& part) {
  PairSet set{TokenSet::open(source_tokens(folder, part)),
              TokenSet::open(target_tokens(folder, part))};
  if (set.source.size() != set.target.size()) {
    throw std::invalid_argument(folder.string() + ": has " + std::to_string(set.source.size()) +
                                " documents, but " + std::to_string(set.target.size()) +
                                " summaries for " + part +
                                "; delete the folder, so that it is made again");
  }
  return set;
}

std::vector<std::int64_t> PairSet::lengths() const {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(size()));
  for (std::int64_t row = 0; row < size(); ++row) {
    lengths[static_cast<std::size_t>(row)] =
        static_cast<std::int64_t>(source.tokens(row).size() + target.tokens(row).size());
  }
  return lengths;
}

PairBatch gather(const PairSet& set, std::span<const std::int64_t> rows) {
  return {gather(set.source, rows), gather(set.target, rows)};
}

}  // namespace fastformer::data
