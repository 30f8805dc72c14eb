#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/metrics/scores.h"
#include "fastformer/nn/parameter_store.h"

namespace fastformer::train {

/// The scores of a finished model on the test part.
struct TestReport {
  std::int64_t items = 0;  ///< documents or impressions; 0: there is no test part
  metrics::Scores scores;
  std::vector<metrics::NamedScores> baselines;  ///< on the same part
  std::string table;                            ///< for people
};

/// Something that a task prepared from its data, for a resumed run to compare.
struct PreparedPart {
  std::string name;  ///< "the vocabulary"
  std::uint64_t checksum;
};

/// The object that a Trainer trains: a model with the data, the loss and the metrics of its task.
///
/// The order of batches depends only on the recipe and the number of the epoch.
class Task {
 public:
  virtual ~Task() = default;

  /// The kind of model for its card, as "Text classifier".
  virtual std::string title() const = 0;
  /// A readable table of the data.
  virtual std::string summary() const = 0;

  /// All that training depends on beside the recipe.
  virtual std::vector<PreparedPart> prepared() const = 0;

  /// The parameters that training changes.
  virtual const nn::ParameterMap& parameters() const = 0;
  /// The tables whose gradients are sparse.
  virtual std::set<std::string> row_sparse_parameters() const = 0;
  /// Factor of the learning rate for a parameter.
  virtual double learning_rate_factor(const std::string& /*parameter*/) const { return 1; }
  /// Sets initial values that are not random: word vectors, pre-trained weights. Returns sentences
  /// for the user.
  virtual std::vector<std::string> initialize() { return {}; }

  /// Batches per epoch. Throws std::invalid_argument if there is nothing to train on.
  virtual std::int64_t batches(std::int64_t epoch) const = 0;
  /// Goes to a batch of an epoch and returns the number of batches in the epoch. The following
  /// batches may be prepared on another thread. Throws std::invalid_argument for a batch that the
  /// epoch does not have.
  virtual std::int64_t begin_epoch(std::int64_t epoch, std::int64_t first_batch) = 0;
  /// Takes the next batch, to which the next three functions refer.
  virtual void next_batch() = 0;
  virtual std::int64_t tokens() const = 0;
  /// The rows of row-sparse parameters that the batch reads: {name: rows}.
  virtual std::vector<std::pair<std::string, at::Tensor>> touched_rows() const = 0;
  /// The loss of the batch, a scalar with gradients. Dropout draws from LibTorch's default
  /// generator.
  virtual at::Tensor loss() const = 0;

  /// Scores on the validation part, "loss" first; empty without such a part.
  virtual metrics::Scores validate() const = 0;
  /// Scores on the test part. Writes the task's result files to `folder`, with the scores of each
  /// item for comparisons (metrics/item_results.h).
  virtual TestReport test(const std::filesystem::path& folder) const = 0;
  /// Writes the model directory, with `card` as its README.md.
  virtual void save_model(const std::filesystem::path& directory,
                          const std::string& card) const = 0;
};

}  // namespace fastformer::train
