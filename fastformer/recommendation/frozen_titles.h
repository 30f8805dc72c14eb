#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "fastformer/recommendation/item_batch.h"
#include "fastformer/recommendation/item_table.h"
#include "fastformer/recommendation/recommender_model.h"

namespace fastformer::recommendation {

/// The output of the frozen layers of a pre-trained encoder for all titles, computed once instead
/// of in each step. If two of twelve layers are trained, this saves 10 of 16 units of work (a
/// backward pass costs two forward passes).
///
///   FrozenTitles frozen(model, titles, /*limit=*/std::int64_t{4} << 30);
///   model.loss(batch, /*training=*/true, frozen.rows(batch)).backward();
class FrozenTitles {
 public:
  /// Both must outlive the object. Nothing is stored if the model has no frozen layers, or if the
  /// rows [T, e] of all titles would take more than `limit` bytes.
  FrozenTitles(const RecommenderModel& model, const TitleTokens& titles, std::int64_t limit);

  /// Size of the stored rows in bytes, even before they are computed; 0 if nothing is stored.
  std::int64_t bytes() const { return bytes_; }

  /// The rows of the batch's tokens; undefined if nothing is stored. The first call computes the
  /// rows of all titles, in the order of the table, so that they do not depend on the batch.
  at::Tensor rows(const ItemBatch& batch);

 private:
  void compute();

  const RecommenderModel& model_;
  const TitleTokens& titles_;
  std::int64_t bytes_ = 0;
  at::Tensor rows_;
};

}  // namespace fastformer::recommendation
