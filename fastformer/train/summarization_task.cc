#include "fastformer/train/summarization_task.h"

#include <algorithm>
#include <span>

#include "fastformer/base/random.h"
#include "fastformer/tasks/summarizer_directory.h"
#include "fastformer/tasks/summary_evaluation.h"
#include "fastformer/train/test_items.h"

namespace fastformer::train {
namespace {

TestItems items_of(const tasks::SummaryEvaluation& evaluation,
                   std::span<const data::TextPair> texts) {
  TestItems items{.metrics = {"rouge_1", "rouge_2", "rouge_l", "rouge_lsum"}};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto& rouge = evaluation.rouge[i];
    items.add(base::fnv1a(texts[i].target, base::fnv1a("\n", base::fnv1a(texts[i].source))),
              {rouge.rouge1.f, rouge.rouge2.f, rouge.rouge_l.f, rouge.rouge_lsum.f});
  }
  return items;
}

std::vector<tasks::NamedScores> baselines_of(const tasks::SummaryEvaluation& evaluation) {
  std::vector<tasks::NamedScores> baselines;
  for (std::size_t i = 1; i < evaluation.rows.size(); ++i) {
    baselines.push_back({evaluation.rows[i].name, tasks::rouge_scores(evaluation.rows[i])});
  }
  return baselines;
}

}  // namespace

SummarizationTask::SummarizationTask(const Recipe& recipe, const std::filesystem::path& cache)
    : recipe_(recipe),
      dataset_(data::prepare_pairs(recipe.pairs, recipe.text, cache)),
      model_(recipe.summarizer, tasks::vocabulary_of(*dataset_.tokenizer),
             static_cast<std::uint64_t>(recipe.train.seed)),
      plan_(dataset_.train.lengths(), recipe.train.batch,
            static_cast<std::uint64_t>(recipe.train.seed)) {}

void SummarizationTask::check_model(const Recipe& recipe) {
  auto config = recipe.summarizer;
  config.source.bigram_buckets = std::min<std::int64_t>(config.source.bigram_buckets, 1);
  tasks::Summarizer(config, {.size = 8, .begin = 0, .end = 1}, /*seed=*/0);
}

std::int64_t SummarizationTask::begin_epoch(std::int64_t epoch, std::int64_t first_batch) {
  return batches_.begin(dataset_.train, plan_, epoch, first_batch);
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
  write_test_items(folder / kTestItemsFile, items_of(evaluation, texts));
  return {.documents = dataset_.test.size(),
          .scores = evaluation.scores,
          .baselines = baselines_of(evaluation),
          .table = tasks::evaluation_table(evaluation)};
}

void SummarizationTask::save_model(const std::filesystem::path& directory,
                                   const std::string& card) const {
  tasks::save_summarizer(directory, recipe_.pairs, recipe_.search, *dataset_.tokenizer, model_,
                         card);
}

}  // namespace fastformer::train
