#pragma once

#include <string>
#include <vector>

namespace fastformer::tasks {

/// One number that tells how a model does. Lower is better for the name "loss" alone.
struct Score {
  std::string name;
  double value = 0;
};

/// What one evaluation measured, in the order of its table.
using Scores = std::vector<Score>;

/// Throws std::invalid_argument naming those there are when `name` is none of them.
double score_of(const Scores& scores, const std::string& name);

}  // namespace fastformer::tasks
