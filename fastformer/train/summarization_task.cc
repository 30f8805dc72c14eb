#include "fastformer/train/summarization_task.h"

#include <stdexcept>

#include "fastformer/tasks/initial_vectors.h"
#include "fastformer/tasks/summarizer_directory.h"
#include "fastformer/tasks/summary_evaluation.h"

namespace fastformer::train {

SummarizationTask::SummarizationTask(const Recipe& recipe, const std::filesystem::path& cache)
    : recipe_(recipe),
      dataset_(data::prepare_pairs(recipe.pairs, recipe.text, cache)),
      model_(recipe.summarizer, tasks::vocabulary_of(*dataset_.tokenizer),
             static_cast<std::uint64_t>(recipe.train.seed)) {}

std::vector<std::string> SummarizationTask::initialize() {
  const auto& path = recipe_.train.word_vectors;
  if (path.empty()) return {};
  return {tasks::load_word_vectors(path, *dataset_.tokenizer,
                                   parameters().at("embedding.token.weight"))};
}

std::vector<std::vector<std::int64_t>> SummarizationTask::plan(std::int64_t epoch) const {
  return data::plan_epoch(dataset_.train.lengths(), recipe_.train.batch,
                          static_cast<std::uint64_t>(recipe_.train.seed), epoch);
}

std::int64_t SummarizationTask::batches(std::int64_t epoch) const {
  const auto& config = recipe_.train.batch;
  if (config.batch_by == "examples") {  // the same number in every epoch
    return (dataset_.train.size() + config.batch_size - 1) / config.batch_size;
  }
  return static_cast<std::int64_t>(plan(epoch).size());
}

void SummarizationTask::begin_epoch(std::int64_t epoch, std::int64_t first_batch) {
  loader_.reset();
  plan_ = plan(epoch);
  loader_ = std::make_unique<data::Prefetcher<data::PairBatch>>(
      [this](std::int64_t i) { return data::gather(dataset_.train, plan_[i]); }, first_batch,
      static_cast<std::int64_t>(plan_.size()));
}

void SummarizationTask::next_batch() {
  batch_ = loader_->next();
  if (!batch_) throw std::logic_error("next_batch: the epoch has no more batches");
}

std::int64_t SummarizationTask::tokens() const {
  return batch_->source.tokens() + batch_->target.tokens();
}

std::vector<std::pair<std::string, at::Tensor>> SummarizationTask::touched_rows() const {
  return model_.touched_rows(tasks::summary_batch(*batch_));
}

at::Tensor SummarizationTask::loss() const {
  return model_.loss(tasks::summary_batch(*batch_), recipe_.train.loss.label_smoothing,
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
