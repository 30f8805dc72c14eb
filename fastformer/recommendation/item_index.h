#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "fastformer/recommendation/item_table.h"
#include "fastformer/recommendation/recommender_model.h"

namespace fastformer::recommendation {

/// Stores the vectors of titles on disk, so that a growing catalogue is encoded only once: a
/// safetensors file with `keys` [N] (a hash of each title's tokens), `vectors` [N, d] and a
/// checksum of both, for one model and one precision (see `kernels/precision.h`). A vector depends
/// only on the tokens, so all items with the same title share it.
///
///   ItemIndex index(model, "news.index");
///   const auto vectors = index.vectors(titles);  // encodes and stores new titles
///   std::cout << index.encoded() << " of them were new\n";
class ItemIndex {
 public:
  /// If `file` is empty, nothing is stored. A file of another model or precision is replaced by the
  /// next vectors(). Throws std::invalid_argument for a file that is damaged or not an index (the
  /// file is left unchanged), and for a model without item vectors (fim). `model` must outlive the
  /// index.
  ItemIndex(const RecommenderModel& model, std::filesystem::path file);

  /// The vectors of all titles, [N, d]. Writes the file if it encoded any title. Throws
  /// std::runtime_error if the file cannot be written, std::invalid_argument if vectors are not
  /// finite, because the model has diverged.
  at::Tensor vectors(const TitleTokens& titles);

  /// Number of titles that the last vectors() encoded, not counting empty titles.
  std::int64_t encoded() const { return encoded_; }

 private:
  const RecommenderModel& model_;
  std::filesystem::path file_;
  std::map<std::string, std::string> metadata_;  ///< of the file
  at::Tensor keys_, vectors_;                    ///< undefined while the index is empty
  std::int64_t encoded_ = 0;
};

}  // namespace fastformer::recommendation
