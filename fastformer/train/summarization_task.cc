#include "fastformer/train/summarization_task.h"

#include <utility>

#include "fastformer/tasks/summarizer_directory.h"
#include "fastformer/tasks/summary_evaluation.h"

namespace fastformer::train {

SummarizationTask::SummarizationTask(const Recipe& recipe, const std::filesystem::path& cache)
    : recipe_(recipe),
      dataset_(data::prepare_pairs(recipe.pairs, recipe.text, cache)),
      model_(recipe.summarizer, tasks::vocabulary_of(*dataset_.tokenizer),
             static_cast<std::uint64_t>(recipe.train.seed)),
      plan_(dataset_.train.lengths(), recipe.train.batch,
            static_cast<std::uint64_t>(recipe.train.seed)) {}

std::int64_t SummarizationTask::begin_epoch(std::int64_t epoch, std::int64_t first_batch) {
  auto plan = plan_.batches(epoch);
  const auto count = static_cast<std::int64_t>(plan.size());
  batches_.begin(
      [this, plan = std::move(plan)](std::int64_t i) {
        return data::gather(dataset_.train, plan[static_cast<std::size_t>(i)]);
      },
      first_batch, count);
  return count;
}

std::int64_t SummarizationTask::tokens() const {
  return batches_->source.tokens() + batches_->target.tokens();
}

std::vector<std::pair<std::string, at::Tensor>> SummarizationTask::touched_rows() const {
  return model_.touched_rows(tasks::summary_batch(*batches_));
}

at::Tensor SummarizationTask::loss() const {
  return model_.loss(tasks::summary_batch(*batches_), recipe_.train.loss.label_smoothing,
                     /*training=*/true);
}

tasks::Scores SummarizationTask::validate() const {
  if (dataset_.validation.size() == 0) return {};
  return {{"loss", tasks::mean_loss(model_, dataset_.validation)}};
}

TestReport SummarizationTask::test(const std::filesystem::path& folder) const {
  if (dataset_.test.size() == 0) return {};
  const auto texts = data::read_texts(recipe_.pairs, recipe_.pairs.test, dataset_.test);
  const auto evaluation =
      tasks::evaluate(model_, *dataset_.tokenizer, recipe_.search, dataset_.test, texts);
  tasks::write_evaluation(evaluation, texts, folder);
  return {.documents = dataset_.test.size(),
          .scores = evaluation.scores,
          .table = tasks::evaluation_table(evaluation)};
}

void SummarizationTask::save_model(const std::filesystem::path& directory,
                                   const std::string& card) const {
  tasks::save_summarizer(directory, recipe_.pairs, recipe_.search, *dataset_.tokenizer, model_,
                         card);
}

}  // namespace fastformer::train
