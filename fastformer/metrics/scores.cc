#include "fastformer/metrics/scores.h"

#include <map>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/metrics/confusion_matrix.h"
#include "fastformer/metrics/label_sets.h"
#include "fastformer/metrics/ranking.h"

namespace fastformer::metrics {

double score_of(const Scores& scores, const std::string& name) {
  std::string known;
  for (const auto& score : scores) {
    if (score.name == name) return score.value;
    known.append(known.empty() ? "" : ", ").append(score.name);
  }
  throw std::invalid_argument("there is no score '" + name +
                              "'; valid: " + (known.empty() ? "none" : known));
}

std::string score_title(const std::string& name) {
  for (const auto& metric : class_metrics()) {
    if (metric.name == name) return metric.title;
  }
  for (const auto& metric : ranking_metrics()) {
    if (metric.name == name) return metric.title;
  }
  for (const auto& metric : label_set_metrics()) {
    if (metric.name == name) return metric.title;
  }
  static const std::map<std::string, std::string> rouge = {{"rouge", "ROUGE"},
                                                           {"rouge_1", "ROUGE-1"},
                                                           {"rouge_2", "ROUGE-2"},
                                                           {"rouge_l", "ROUGE-L"},
                                                           {"rouge_lsum", "ROUGE-Lsum"}};
  const auto title = rouge.find(name);
  return title == rouge.end() ? name : title->second;
}

std::string scores_text(const Scores& scores, const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) {
    if (!text.empty()) text += "  ";
    text += base::format("%s %.4f", score_title(name).c_str(), score_of(scores, name));
  }
  return text;
}

}  // namespace fastformer::metrics
