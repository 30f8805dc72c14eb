#include "fastformer/summarization/extractive/extractive_task.h"

#include <memory>
#include <string_view>
#include <utility>

#include "fastformer/nn/parameter_store.h"
#include "fastformer/summarization/evaluation.h"

namespace fastformer::summarization {
ExtractiveTask::ExtractiveTask(const Recipe& recipe, Dataset dataset,
                               std::optional<train::StartingModel> start,
                               const TextsOf& validation_texts)
    : PairTask(recipe, std::move(dataset), std::move(start), gather_sentences),
      model_(recipe.model, this->dataset().tokenizer->vocabulary_size(), seed()),
      sample_(validation_sample(this->dataset().validation, validation_texts, kSample)) {}

std::vector<ScoredPair> ExtractiveTask::scored_sample() const {
  std::vector<std::string_view> sources;
  for (const auto& pair : sample_) sources.emplace_back(pair.source);
  auto documents = score_documents(model_, *dataset().tokenizer, sources,
                                   {.document_tokens = recipe().data.max_source_tokens});
  std::vector<ScoredPair> pairs;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    pairs.push_back({std::move(documents[i]), sample_[i].target});
  }
  return pairs;
}

metrics::Scores ExtractiveTask::validate() const {
  if (dataset().validation.size() == 0) return {};
  const auto pairs = scored_sample();
  const auto judged = judge("model", sample_, [&](std::size_t i, const TextPair&) {
    return extract(pairs[i].document, recipe().selection);
  });
  auto scores = validation_scores(judged.row);
  scores.insert(scores.begin(), {"loss", mean_loss(model_, dataset().validation)});
  return scores;
}

const SelectionConfig& ExtractiveTask::selection() const {
  if (!selection_) {
    selection_ = recipe().selection.tune ? tuned_selection(scored_sample(), recipe().selection)
                                         : recipe().selection;
  }
  return *selection_;
}

train::TestReport ExtractiveTask::test(const std::filesystem::path& folder) const {
  if (dataset().test.size() == 0) return {};
  const auto texts = read_texts(recipe().data, recipe().data.test, dataset().test);
  const auto evaluation = evaluate(model_, *dataset().tokenizer, selection(), dataset().test, texts,
                                   {.document_tokens = recipe().data.max_source_tokens});
  return write_evaluation(evaluation, texts, folder);
}

void ExtractiveTask::save_model(const std::filesystem::path& directory,
                                const std::string& card) const {
  save_extractive(directory, {recipe().data, selection(), *dataset().tokenizer, model_}, card);
}

ExtractiveContent ExtractiveTask::take_content() && {
  auto chosen = selection();
  auto model = std::make_unique<ExtractiveModel>(
      recipe().model, dataset().tokenizer->vocabulary_size(), /*seed=*/0);
  nn::assign(model->parameters(), model_.parameters(), "the trained model");
  return {recipe().data, chosen, take_tokenizer(), std::move(model)};
}

}  // namespace fastformer::summarization
