#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/nn/parameter_store.h"
#include "fastformer/tasks/scores.h"
#include "fastformer/train/recipe.h"

namespace fastformer::train {

/// How a finished model does on the test part.
struct TestReport {
  std::int64_t documents = 0;  ///< 0: there is no test part, and nothing below it
  tasks::Scores scores;
  std::vector<tasks::NamedScores> baselines;  ///< what needs no training, on the same part
  std::string table;                          ///< for people
};

/// What a Trainer trains: a model with the data, the loss and the measures of its task. One class
/// for each task, one row of `task_registry.cc`.
///
/// Batches come in an order that depends on the recipe and the number of the epoch alone.
class TrainingTask {
 public:
  virtual ~TrainingTask() = default;

  /// "Text classifier": what the model is, for its card.
  virtual std::string title() const = 0;
  /// A table of the data for people.
  virtual std::string summary() const = 0;

  virtual const nn::ParameterMap& parameters() const = 0;
  /// The tables whose gradients are sparse.
  virtual std::set<std::string> row_sparse_parameters() const = 0;
  /// What the learning rate is multiplied by for that parameter.
  virtual double learning_rate_factor(const std::string& /*parameter*/) const { return 1; }
  /// Gives the parameters the values a new run starts from, where these are not random: word
  /// vectors, pre-trained weights. Returns sentences for the user.
  virtual std::vector<std::string> initialize() { return {}; }

  /// Batches in an epoch; throws std::invalid_argument where there is nothing to train on.
  virtual std::int64_t batches(std::int64_t epoch) const = 0;
  /// Goes to a batch of an epoch, and gives the number of batches in it. Those from there on may be
  /// prepared on another thread. Throws std::invalid_argument for a batch that the epoch lacks.
  virtual std::int64_t begin_epoch(std::int64_t epoch, std::int64_t first_batch) = 0;
  /// Takes the next batch, which the four below are about.
  virtual void next_batch() = 0;
  virtual std::int64_t tokens() const = 0;
  /// Rows of the row-sparse parameters that it reads: {name: rows}.
  virtual std::vector<std::pair<std::string, at::Tensor>> touched_rows() const = 0;
  /// Its loss, a scalar to be differentiated. Dropout draws from LibTorch's default generator.
  virtual at::Tensor loss() const = 0;

  /// Of the validation part, the first being "loss"; nothing without such a part.
  virtual tasks::Scores validate() const = 0;
  /// Of the test part; what the task keeps of it is written into `folder`. What variants are
  /// compared by is among that: test_items.csv (see TestItems) or test_predictions.csv.
  virtual TestReport test(const std::filesystem::path& folder) const = 0;
  /// Writes the model directory, with `card` as its README.md.
  virtual void save_model(const std::filesystem::path& directory,
                          const std::string& card) const = 0;
};

/// The task that the recipe names, with its data prepared. `cache` takes the tokens where the
/// recipe names no other folder. Throws std::invalid_argument as the readers of the data do.
std::unique_ptr<TrainingTask> open_task(const Recipe& recipe, const std::filesystem::path& cache);

/// Builds a model of the recipe with the smallest tables: what its layers refuse does not depend on
/// them. Throws std::invalid_argument or c10::Error for that.
void check_model(const Recipe& recipe);

}  // namespace fastformer::train
