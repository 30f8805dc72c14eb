#include <array>
#include <stdexcept>
#include <string>

#include "fastformer/base/format.h"
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

struct TaskRow {
  const char* name;
  std::unique_ptr<TrainingTask> (*make)(const Recipe&, const std::filesystem::path&);
  void (*check_model)(const Recipe&);
};

constexpr std::array kTasks = {
    TaskRow{"classification", make<ClassificationTask>, ClassificationTask::check_model},
    TaskRow{"recommendation", make<RecommendationTask>, RecommendationTask::check_model},
    TaskRow{"summarization", make<SummarizationTask>, SummarizationTask::check_model},
};

const TaskRow& task(const std::string& name) {
  for (const auto& task : kTasks) {
    if (name == task.name) return task;
  }
  throw std::logic_error(base::format("open_task: no task '%s'", name.c_str()));
}

}  // namespace

std::unique_ptr<TrainingTask> open_task(const Recipe& recipe, const std::filesystem::path& cache) {
  return task(recipe.task.name).make(recipe, cache);
}

void check_model(const Recipe& recipe) { task(recipe.task.name).check_model(recipe); }

}  // namespace fastformer::train
