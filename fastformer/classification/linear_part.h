#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "fastformer/data/batch.h"
#include "fastformer/linear/linear_model.h"

namespace fastformer::classification {

/// Scores of each member of a classifier: [members] of [rows, classes]. The network is the first.
using MemberScores = std::vector<std::vector<double>>;

/// The linear members of a classifier, and how the scores of all members become logits.
struct LinearPart {
  std::shared_ptr<const linear::LinearModel> model;
  linear::Pool pool;  ///< the first coefficient is the network's

  /// All members with the same weight, each at its own temperature; the network's is 1.
  static LinearPart with_equal_weights(std::shared_ptr<const linear::LinearModel> model);

  /// Writes a safetensors file. Throws std::runtime_error when the disk refuses.
  void save(const std::filesystem::path& file) const;
  /// Throws std::invalid_argument with one sentence for a file that is damaged.
  static LinearPart load(const std::filesystem::path& file, std::int64_t classes);
};

/// The file of a model directory that holds the linear members; absent without such members.
inline constexpr const char* kLinearFile = "linear.safetensors";

/// `network`: its logits [rows, classes]. `ngrams`: the columns of each row's n-grams; not read
/// where `linear` is null.
MemberScores member_scores(const at::Tensor& network, const linear::LinearModel* linear,
                           const data::TokenBatch& ngrams);

}  // namespace fastformer::classification
