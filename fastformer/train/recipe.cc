#include "fastformer/train/recipe.h"

#include <sstream>

namespace fastformer::train {

void Recipe::resolve_metric() {
  if (train.metric == "auto") train.metric = measures().validation.front();
}

void Recipe::add_shared_sources(std::vector<RecipeSource>& sources) const {
  if (!text.model_file.empty()) sources.push_back({"text.model_file", text.model_file});
  if (!train.word_vectors.empty()) sources.push_back({"train.word_vectors", train.word_vectors});
  if (!train.from.empty()) sources.push_back({"train.from", train.from});
}

std::optional<RecipeDifference> first_difference(const std::string& now,
                                                 const std::string& before) {
  std::istringstream now_lines(now), before_lines(before);
  while (true) {
    RecipeDifference lines;
    const bool more_now = static_cast<bool>(std::getline(now_lines, lines.now));
    const bool more_before = static_cast<bool>(std::getline(before_lines, lines.before));
    if (!more_now && !more_before) return std::nullopt;
    if (more_now != more_before || lines.now != lines.before) return lines;
  }
}

}  // namespace fastformer::train
