#include "fastformer/summarization/abstractive/abstractive_task.h"

#include <memory>
#include <utility>

#include "fastformer/nn/parameter_store.h"
#include "fastformer/summarization/abstractive/decoding.h"
#include "fastformer/summarization/evaluation.h"

namespace fastformer::summarization {

AbstractiveTask::AbstractiveTask(const Recipe& recipe, Dataset dataset,
                                 std::optional<train::StartingModel> start,
                                 const TextsOf& validation_texts)
    : PairTask(recipe, std::move(dataset), std::move(start), gather),
      model_(recipe.model, vocabulary_of(*this->dataset().tokenizer), seed()) {
  if (recipe.train.metric != "loss") {
    sample_ = validation_sample(this->dataset().validation, validation_texts, kSample);
  }
}

metrics::Scores AbstractiveTask::validate() const {
  if (dataset().validation.size() == 0) return {};
  metrics::Scores scores = {{"loss", mean_loss(model_, dataset().validation)}};
  if (sample_.empty()) return scores;
  data::CorpusWriter documents;
  for (const auto& pair : sample_) {
    const auto encoded =
        text::encode_limited(*dataset().tokenizer, pair.source,
                             recipe().model.source.token_limit(recipe().data.max_source_tokens));
    documents.add(encoded.ids, documents.size());
  }
  const auto summaries =
      summarize(model_, *dataset().tokenizer, recipe().search, documents.finish());
  const auto judged =
      judge("model", sample_, [&](std::size_t i, const TextPair&) { return summaries[i]; });
  for (auto& score : validation_scores(judged.row)) scores.push_back(std::move(score));
  return scores;
}

train::TestReport AbstractiveTask::test(const std::filesystem::path& folder) const {
  if (dataset().test.size() == 0) return {};
  const auto texts = read_texts(recipe().data, recipe().data.test, dataset().test);
  return write_evaluation(
      evaluate(model_, *dataset().tokenizer, recipe().search, dataset().test, texts), texts,
      folder);
}

void AbstractiveTask::save_model(const std::filesystem::path& directory,
                                 const std::string& card) const {
  save_summarizer(directory, {recipe().data, recipe().search, *dataset().tokenizer, model_}, card);
}

SummarizerContent AbstractiveTask::take_content() && {
  auto model = std::make_unique<SummarizerModel>(recipe().model,
                                                 vocabulary_of(*dataset().tokenizer), /*seed=*/0);
  nn::assign(model->parameters(), model_.parameters(), "the trained model");
  return {recipe().data, recipe().search, take_tokenizer(), std::move(model)};
}

}  // namespace fastformer::summarization
