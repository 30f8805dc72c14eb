#include "fastformer/train/classification_task.h"

#include <algorithm>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/tasks/evaluation.h"
#include "fastformer/tasks/model_directory.h"
#include "fastformer/train/test_predictions.h"

namespace fastformer::train {
namespace {

std::vector<std::int64_t> class_counts(const data::TokenSet& set, std::size_t classes) {
  std::vector<std::int64_t> counts(classes);
  for (std::int64_t row = 0; row < set.size(); ++row) ++counts.at(set.label(row));
  return counts;
}

tasks::Scores scores_of(const tasks::Evaluation& evaluation) {
  return {{"loss", evaluation.loss},
          {"accuracy", evaluation.confusion.accuracy()},
          {"macro_f1", evaluation.confusion.macro_f1()}};
}

}  // namespace

ClassificationTask::ClassificationTask(const Recipe& recipe, const std::filesystem::path& cache)
    : recipe_(recipe),
      dataset_(data::prepare(recipe.data, recipe.text, cache)),
      model_(recipe.model, dataset_.tokenizer->vocabulary_size(),
             static_cast<std::int64_t>(dataset_.labels.size()),
             static_cast<std::uint64_t>(recipe.train.seed)),
      loss_(recipe.train.loss, class_counts(dataset_.train, dataset_.labels.size())),
      plan_(data::lengths_of(dataset_.train), recipe.train.batch,
            static_cast<std::uint64_t>(recipe.train.seed)) {
  if (dataset_.train.size() == 0) throw std::invalid_argument("there is no training document");
}

void ClassificationTask::check_model(const Recipe& recipe) {
  auto config = recipe.model;
  config.bigram_buckets = std::min<std::int64_t>(config.bigram_buckets, 1);
  tasks::TextClassifier(config, /*vocabulary_size=*/8, /*classes=*/2, /*seed=*/0);
}

std::int64_t ClassificationTask::begin_epoch(std::int64_t epoch, std::int64_t first_batch) {
  return batches_.begin(dataset_.train, plan_, epoch, first_batch);
}

at::Tensor ClassificationTask::loss() const {
  return loss_.forward(model_.forward(*batches_, /*training=*/true), batches_->labels);
}

tasks::Scores ClassificationTask::validate() const {
  if (dataset_.validation.size() == 0) return {};
  return scores_of(tasks::evaluate(model_, dataset_.validation));
}

TestReport ClassificationTask::test(const std::filesystem::path& folder) const {
  if (dataset_.test.size() == 0) return {};
  const auto evaluation = tasks::evaluate(model_, dataset_.test);
  base::write_file_atomically(folder / kTestFile,
                              tasks::evaluation_json(evaluation, dataset_.labels) + "\n");
  TestPredictions predictions{.predicted = evaluation.predicted};
  for (std::int64_t row = 0; row < dataset_.test.size(); ++row) {
    predictions.labels.push_back(dataset_.test.label(row));
  }
  write_predictions(folder / kPredictionsFile, predictions);
  return {.documents = evaluation.confusion.total(),
          .scores = scores_of(evaluation),
          .table = tasks::evaluation_table(evaluation, dataset_.labels)};
}

void ClassificationTask::save_model(const std::filesystem::path& directory,
                                    const std::string& card) const {
  const tasks::ClassifierFormat format{.labels = dataset_.labels,
                                       .max_tokens = recipe_.data.max_tokens};
  tasks::save_model(directory, format, recipe_.data, *dataset_.tokenizer, model_, card);
}

}  // namespace fastformer::train
