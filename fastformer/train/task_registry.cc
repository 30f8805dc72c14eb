#include <array>
#include <stdexcept>

#include "fastformer/train/classification_task.h"
#include "fastformer/train/recommendation_task.h"
#include "fastformer/train/summarization_task.h"
#include "fastformer/train/training_task.h"

namespace fastformer::train {
namespace {

template <class Task>
std::unique_ptr<TrainingTask> make(const Recipe& recipe, const std::filesystem::path& cache) {
  return std::make_unique<Task>(recipe, cache);
}

struct Row {
  const char* name;
  std::unique_ptr<TrainingTask> (*make)(const Recipe&, const std::filesystem::path&);
};

constexpr std::array kTasks = {
    Row{"classification", make<ClassificationTask>},
    Row{"recommendation", make<RecommendationTask>},
    Row{"summarization", make<SummarizationTask>},
};

}  // namespace

std::unique_ptr<TrainingTask> open_task(const Recipe& recipe, const std::filesystem::path& cache) {
  for (const auto& row : kTasks) {
    if (recipe.task.name == row.name) return row.make(recipe, cache);
  }
  throw std::logic_error("open_task: no task '" + recipe.task.name + "'");
}

}  // namespace fastformer::train
