#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/data/reader.h"

namespace fastformer::data {

/// The Large Movie Review Dataset (Maas et al. 2011): a folder such as aclImdb/train with neg/ and
/// pos/, one review a file `<id>_<rating>.txt`. The label is "neg" or "pos", or with
/// imdb_labels = "ratings" the rating in the file's name. Reviews come in the order of their paths.
class ImdbReader final : public Reader {
 public:
  ImdbReader(const DataConfig& config, const std::filesystem::path& folder);
  bool next(Example& example) override;

 private:
  bool ratings_;
  std::vector<std::filesystem::path> files_;
  std::size_t position_ = 0;
};

}  // namespace fastformer::data
