#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/metrics/scores.h"
#include "fastformer/nn/parameter_store.h"

namespace fastformer::train {

/// The scores of a finished model on the test part.
struct TestReport {
  std::int64_t items = 0;  ///< documents or impressions; 0: no test part
  metrics::Scores scores;
  std::vector<metrics::NamedScores> baselines;  ///< on the same part
  std::string table;                            ///< a text table of the scores
};

/// A result of preparing the data, which a resumed run compares with the record of the run.
struct PreparedPart {
  std::string name;  ///< "the vocabulary"
  std::uint64_t checksum;
};

/// What a Trainer trains: a model with the data, the loss and the metrics of its task.
///
/// The order of batches depends only on the recipe and the number of the epoch.
class Task {
 public:
  virtual ~Task() = default;

  /// The kind of model in the model card, such as "Text classifier".
  virtual std::string title() const = 0;
  /// A text table that describes the data.
  virtual std::string summary() const = 0;

  /// Everything besides the recipe that training depends on.
  virtual std::vector<PreparedPart> prepared() const = 0;

  /// The parameters that training changes.
  virtual const nn::ParameterMap& parameters() const = 0;
  /// The names of the tables with sparse gradients.
  virtual std::set<std::string> row_sparse_parameters() const = 0;
  /// A factor on the learning rate for one parameter.
  virtual double learning_rate_factor(const std::string& /*parameter*/) const { return 1; }
  /// Sets initial values that are not random, such as word vectors or pre-trained weights. Returns
  /// sentences for the user.
  virtual std::vector<std::string> initialize() { return {}; }

  /// Batches per epoch. Throws std::invalid_argument if there is nothing to train on.
  virtual std::int64_t batches(std::int64_t epoch) const = 0;
  /// Moves to a batch of an epoch and returns the number of batches of that epoch. Later batches
  /// may be prepared on another thread. Throws std::invalid_argument for a batch that the epoch
  /// does not have.
  virtual std::int64_t begin_epoch(std::int64_t epoch, std::int64_t first_batch) = 0;
  /// Moves to the next batch; tokens(), touched_rows(), loss() and backward() refer to it.
  virtual void next_batch() = 0;
  virtual std::int64_t tokens() const = 0;
  /// The rows of row-sparse parameters that the batch uses: {name: rows}.
  virtual std::vector<std::pair<std::string, at::Tensor>> touched_rows() const = 0;
  /// The loss of the batch, a differentiable scalar. Dropout draws from LibTorch's default
  /// generator.
  virtual at::Tensor loss() const = 0;
  /// Adds the gradients of what training minimizes for the batch, divided by the number `batches`
  /// of batches in a step, to those of the parameters, and returns that quotient. By default it is
  /// the loss.
  virtual double backward(std::int64_t batches) const {
    const auto part = loss() / batches;
    part.backward();
    return part.item<double>();
  }

  /// Whether a second training follows, of a new model on the training and the validation part.
  virtual bool refits() const { return false; }
  /// Begins it. The model has the best weights of the first training, by which the task chooses
  /// what depends on the validation part, such as thresholds; they hold for the second model, too.
  /// Then it sets the parameters to their random values.
  virtual void begin_refit() {}

  /// The loss of equal probabilities for all classes; infinity if the task has no classes.
  virtual double chance_loss() const { return std::numeric_limits<double>::infinity(); }
  /// Scores on the validation part, "loss" first; empty if there is no such part.
  virtual metrics::Scores validate() const = 0;
  /// The scores on the validation part of all that save_model() writes; validate() may leave parts
  /// of the model out that cost too much for each evaluation.
  virtual metrics::Scores validate_model() const { return validate(); }
  /// Scores on the test part. Writes the result files of the task to `folder`, including the scores
  /// of each item for comparisons (metrics/item_results.h).
  virtual TestReport test(const std::filesystem::path& folder) const = 0;
  /// Writes the model directory, with `card` as its README.md.
  virtual void save_model(const std::filesystem::path& directory,
                          const std::string& card) const = 0;
};

}  // namespace fastformer::train
