#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "fastformer/linear/linear_model.h"

namespace fastformer::linear {

/// The scores of each member of a classifier: [members] of [rows, classes], the network first.
using MemberScores = std::vector<std::vector<double>>;

/// The linear members of a classifier, and the pool that turns all members' scores into logits.
struct LinearPart {
  std::shared_ptr<const LinearModel> model;
  Pool pool;  ///< the first coefficient is the network's

  /// Equal weights for all members, each divided by its temperature; the network's is 1.
  static LinearPart with_equal_weights(std::shared_ptr<const LinearModel> model);

  /// See LinearModel::without_unused.
  LinearPart without_unused() const;
  /// Writes a safetensors file. Throws std::runtime_error if the file cannot be written.
  void save(const std::filesystem::path& file) const;
  /// Throws std::invalid_argument with one sentence if the file is missing or damaged.
  static LinearPart load(const std::filesystem::path& file, std::int64_t classes);
};

/// The file of a model directory with the linear members; missing if there are none.
inline constexpr const char* kLinearFile = "linear.safetensors";

/// `network`: the network's logits [rows, classes]. Row i has the n-gram columns
/// ngrams[offsets[i]] .. ngrams[offsets[i + 1] - 1]; unused if `linear` is null.
MemberScores member_scores(std::vector<double> network, const LinearModel* linear,
                           std::span<const std::int32_t> ngrams,
                           std::span<const std::int64_t> offsets);

}  // namespace fastformer::linear
