#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/data/batch_plan.h"
#include "fastformer/data/batch_stream.h"
#include "fastformer/metrics/scores.h"
#include "fastformer/summarization/dataset.h"
#include "fastformer/summarization/evaluation.h"
#include "fastformer/summarization/training.h"
#include "fastformer/train/initial_vectors.h"
#include "fastformer/train/starting_model.h"
#include "fastformer/train/task.h"

namespace fastformer::summarization {

/// Returns the texts of a corpus's rows, in their order.
using TextsOf = std::function<std::vector<TextPair>(const PairCorpus& corpus)>;

/// Texts of a validation part for which ROUGE is computed: evenly spaced, at most `count`.
std::vector<TextPair> validation_sample(const PairCorpus& validation, const TextsOf& texts_of,
                                        std::int64_t count);

/// The scores "rouge", the mean of ROUGE-1, -2 and -Lsum, and "rouge_1" to "rouge_lsum".
metrics::Scores validation_scores(const SummaryRow& row);

/// The checksums of vocabulary and parts, for a resumed run to compare.
std::vector<train::PreparedPart> prepared_parts(const Dataset& dataset);

/// What the recipe's train.from names, a model with the content of one kind; nothing without it.
/// Throws std::invalid_argument for a model of another kind or shape.
template <class Content>
std::optional<train::StartingModel> starting_model(const Recipe& recipe) {
  if (recipe.train.from.empty()) return std::nullopt;
  const std::filesystem::path directory = recipe.train.from;
  const auto content = Content::load(directory);
  return train::StartingModel(
      directory, train::shape_of(content.model->config(), text::tokenizer_config(directory)),
      train::shape_of(recipe.model, recipe.text));
}

/// What the training of both kinds of summarizers shares: the data, the order of batches, and the
/// initial weights. `Batch` is what `gather` makes of rows of the training part.
template <class Batch>
class PairTask : public train::Task {
 public:
  std::string summary() const override { return dataset_.summary(); }
  std::vector<train::PreparedPart> prepared() const override {
    auto parts = prepared_parts(dataset_);
    if (start_) parts.insert(parts.begin(), start_->prepared());
    return parts;
  }

  std::vector<std::string> initialize() override {
    auto notices =
        train::load_word_vectors(recipe_.train.word_vectors, *dataset_.tokenizer, parameters());
    // After the word vectors, which are left to new words.
    if (start_) {
      for (auto& notice : start_->copy_to(parameters(), rows_behind_words())) {
        notices.push_back(std::move(notice));
      }
    }
    return notices;
  }

  std::int64_t batches(std::int64_t epoch) const override { return plan_.batches(epoch); }
  std::int64_t begin_epoch(std::int64_t epoch, std::int64_t first_batch) override {
    auto rows = plan_.epoch(epoch);
    const auto count = std::ssize(rows);
    batches_.begin(
        [this, rows = std::move(rows)](std::int64_t i) {
          return gather_(dataset_.train, rows[static_cast<std::size_t>(i)]);
        },
        first_batch, count);
    return count;
  }
  void next_batch() override { batches_.next(); }

 protected:
  using Gather = Batch (*)(const PairCorpus&, std::span<const std::int64_t>);

  PairTask(const Recipe& recipe, Dataset dataset, std::optional<train::StartingModel> start,
           Gather gather)
      : recipe_(recipe),
        start_(std::move(start)),
        dataset_(std::move(dataset)),
        gather_(gather),
        plan_(dataset_.train.lengths(), recipe.batch,
              static_cast<std::uint64_t>(recipe.train.seed)) {}

  const Recipe& recipe() const { return recipe_; }
  const Dataset& dataset() const { return dataset_; }
  const Batch& batch() const { return *batches_; }
  std::uint64_t seed() const { return static_cast<std::uint64_t>(recipe_.train.seed); }
  std::unique_ptr<text::Tokenizer> take_tokenizer() { return std::move(dataset_.tokenizer); }

 private:
  /// The rows of the token table that stand behind those of the tokenizer's words.
  virtual std::int64_t rows_behind_words() const { return 0; }

  Recipe recipe_;
  std::optional<train::StartingModel> start_;
  Dataset dataset_;
  Gather gather_;
  data::BatchPlan plan_;
  data::BatchStream<Batch> batches_;  // last: it reads the data set
};

}  // namespace fastformer::summarization
