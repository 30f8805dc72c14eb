#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/dataset.h"
#include "fastformer/data/cache.h"

namespace fastformer::classification {

/// A document of a part.
using DocumentOfPart = std::pair<const LabelledCorpus*, std::int64_t>;

/// The output of the frozen layers of a pre-trained encoder, computed once for all documents of a
/// part instead of in each step, and stored in half precision: 2 e bytes per row of width e.
///
///   FrozenDocuments frozen(model, "runs/cache");
///   model.forward(batch, training, nullptr, frozen.rows(documents)).backward();
class FrozenDocuments {
 public:
  /// The parts that take more are not stored: their documents are read in each step.
  static constexpr std::int64_t kMostBytes = std::int64_t{32} << 30;
  static constexpr std::int64_t kMostBytesInMemory = std::int64_t{4} << 30;

  /// The rows of a part are files in `cache`, where other runs find them; without a cache, they are
  /// in memory. `model` must outlive the object.
  explicit FrozenDocuments(const ClassifierModel& model, std::filesystem::path cache = {},
                           data::Notice notice = {})
      : model_(model), cache_(std::move(cache)), notice_(std::move(notice)) {}

  /// The rows of documents, as ClassifierModel::frozen_rows() gives them; undefined if the model
  /// has no frozen layers, or if a part is too large. The first call for a part computes the rows
  /// of all its documents. The parts must outlive the object. Throws std::runtime_error if a file
  /// cannot be written.
  at::Tensor rows(std::span<const DocumentOfPart> documents);

 private:
  struct Part {
    at::Tensor rows;                    ///< [R, e] half; undefined: too large
    std::vector<std::int64_t> offsets;  ///< [N+1]
  };

  const Part& part(const LabelledCorpus& documents);
  at::Tensor stored(const LabelledCorpus& documents, const std::vector<std::int64_t>& offsets);

  const ClassifierModel& model_;
  std::filesystem::path cache_;
  data::Notice notice_;
  std::map<const LabelledCorpus*, Part> parts_;
};

}  // namespace fastformer::classification
