#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <span>

#include "fastformer/nn/offsets.h"
#include "fastformer/nn/parameter_store.h"
#include "fastformer/recommendation/model_config.h"

namespace fastformer::recommendation {

/// For each user a list of items, as indices of rows of the encoded items.
struct ItemLists {
  std::span<const std::int64_t> rows;  ///< [H]
  nn::Offsets offsets;                 ///< of B users
};

/// Encodes embedded titles, and scores candidates given the clicks of a user. Immutable: several
/// threads may call it at the same time.
class ItemMatcher {
 public:
  virtual ~ItemMatcher() = default;

  /// Embedded titles [T, d] -> [N, e], one row per title. A title without words gives zeros.
  virtual at::Tensor encode_items(at::Tensor x, const nn::Offsets& offsets,
                                  bool training) const = 0;

  /// items [N, e], histories and candidates of B users -> the scores [C] of the candidates.
  virtual at::Tensor score(const at::Tensor& items, const ItemLists& histories,
                           const ItemLists& candidates, bool training) const = 0;

  /// Whether an encoded item is a single vector, so that the vectors of a whole data set fit into
  /// memory.
  virtual bool has_vectors() const = 0;
};

/// The listed rows of the items, in order: [H, e].
at::Tensor select_rows(const at::Tensor& items, std::span<const std::int64_t> rows);

/// The matcher of config.model.
std::unique_ptr<ItemMatcher> make_matcher(const ModelConfig& config, nn::ParameterStore& store);

}  // namespace fastformer::recommendation
