#pragma once

#include <string>
#include <vector>

namespace fastformer::metrics {

/// One score of a model: the loss ("loss", lower is better), or a share from 0 to 1 (higher is
/// better).
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

/// The value of a score. Throws std::invalid_argument that lists all scores if none has this name.
double score_of(const Scores& scores, const std::string& name);

/// Whether the score is a share, shown in percent.
inline bool is_share(const std::string& name) { return name != "loss"; }
/// The title of a score in tables, such as "macro-F1" for "macro_f1"; the name itself if it has no
/// title.
std::string score_title(const std::string& name);
/// "accuracy 0.8321  macro-F1 0.7965". Throws as score_of() does.
std::string scores_text(const Scores& scores, const std::vector<std::string>& names);

}  // namespace fastformer::metrics
