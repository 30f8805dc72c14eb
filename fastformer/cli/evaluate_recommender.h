#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace fastformer::cli {

/// What the command `evaluate` was given.
struct EvaluateFlags {
  std::filesystem::path model;
  std::vector<std::string> data;
  std::vector<std::string> set;
  std::vector<std::filesystem::path> ensemble;
  std::filesystem::path predictions;
  bool json = false;
};

/// Measures a recommender, alone or in an ensemble, on `flags.data` or on the test part of its
/// recipe, and writes its predictions where they are asked for. Throws std::invalid_argument with
/// one sentence.
void evaluate_recommender(const EvaluateFlags& flags);

}  // namespace fastformer::cli
