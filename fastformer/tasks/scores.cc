#include "fastformer/tasks/scores.h"

#include <stdexcept>

namespace fastformer::tasks {

double score_of(const Scores& scores, const std::string& name) {
  std::string known;
  for (const auto& score : scores) {
    if (score.name == name) return score.value;
    known.append(known.empty() ? "" : ", ").append(score.name);
  }
  throw std::invalid_argument("there is no score '" + name + "'; there are " +
                              (known.empty() ? "none" : known));
}

}  // namespace fastformer::tasks
