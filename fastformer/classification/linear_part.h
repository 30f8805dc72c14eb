#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "fastformer/data/batch.h"
#include "fastformer/linear/linear_model.h"

namespace fastformer::classification {

/// The scores of each member of a classifier: [members] of [rows, classes], the network first.
using MemberScores = std::vector<std::vector<double>>;

/// The linear members of a classifier, and the pool that turns all members' scores into logits.
struct LinearPart {
  std::shared_ptr<const linear::LinearModel> model;
  linear::Pool pool;  ///< the first coefficient is the network's

  /// Equal weights for all members, each divided by its temperature; the network's is 1.
  static LinearPart with_equal_weights(std::shared_ptr<const linear::LinearModel> model);

  /// Writes a safetensors file. Throws std::runtime_error if the file cannot be written.
  void save(const std::filesystem::path& file) const;
  /// Throws std::invalid_argument with one sentence if the file is missing or damaged.
  static LinearPart load(const std::filesystem::path& file, std::int64_t classes);
};

/// The file of a model directory with the linear members; missing if there are none.
inline constexpr const char* kLinearFile = "linear.safetensors";

/// `network`: the network's logits [rows, classes]. `ngrams`: the n-gram columns of each row;
/// unused if `linear` is null.
MemberScores member_scores(const at::Tensor& network, const linear::LinearModel* linear,
                           const data::TokenBatch& ngrams);

}  // namespace fastformer::classification
