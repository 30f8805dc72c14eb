#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "fastformer/recommendation/item_table.h"
#include "fastformer/recommendation/recommender_model.h"

namespace fastformer::recommendation {

/// The vectors of titles on disk, so that a growing catalogue is encoded once: a safetensors file
/// with `keys` [N] (a hash of a title's tokens), `vectors` [N, d] and a checksum of both, for one
/// model and one precision (see `nn/precision.h`). A vector depends on the tokens alone, so that it
/// serves every news with that title.
///
///   ItemIndex index(model, "news.index");
///   const auto vectors = index.vectors(titles);  // encodes what is new, keeps it
///   std::cout << index.encoded() << " of them were new\n";
class ItemIndex {
 public:
  /// `file` empty: nothing is kept. A file of another model, or of another precision than is set
  /// now, is replaced at the next vectors(). Throws std::invalid_argument for a file that is
  /// damaged or is no index, which stays, and for a model without vectors of news (fim). `model`
  /// must outlive the index.
  ItemIndex(const RecommenderModel& model, std::filesystem::path file);

  /// [N, d], a row for each title. Writes the file when it has encoded something; throws
  /// std::runtime_error when the disk refuses, std::invalid_argument for a model that has diverged.
  at::Tensor vectors(const TitleTokens& titles);

  /// Titles that the last vectors() had to encode; those without tokens do not count.
  std::int64_t encoded() const { return encoded_; }

 private:
  const RecommenderModel& model_;
  std::filesystem::path file_;
  std::map<std::string, std::string> metadata_;  ///< of the file
  at::Tensor keys_, vectors_;                    ///< undefined while there are none
  std::int64_t encoded_ = 0;
};

}  // namespace fastformer::recommendation
