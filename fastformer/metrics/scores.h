#pragma once

#include <string>
#include <vector>

namespace fastformer::metrics {

/// One score of a model. For the name "loss" lower is better; all other scores are shares from 0 to
/// 1.
struct Score {
  std::string name;
  double value = 0;
};

/// The scores of one evaluation, in the order of its table.
using Scores = std::vector<Score>;

/// The scores of one system among several.
struct NamedScores {
  std::string name;
  Scores scores;
};

/// Throws std::invalid_argument naming the existing scores if `name` is none of them.
double score_of(const Scores& scores, const std::string& name);

/// Whether it is shown in percent.
inline bool is_share(const std::string& name) { return name != "loss"; }
/// The name as tables write it, such as "macro-F1" of "macro_f1"; a name without a title stays as
/// it is.
std::string score_title(const std::string& name);
/// "accuracy 0.8321  macro-F1 0.7965". Throws as score_of() does.
std::string scores_text(const Scores& scores, const std::vector<std::string>& names);

}  // namespace fastformer::metrics
