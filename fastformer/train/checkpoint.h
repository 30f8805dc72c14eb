#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "fastformer/nn/parameter_store.h"

namespace fastformer::train {

/// The state of a training run without its tensors.
struct TrainingState {
  std::int64_t step = 0;        ///< steps done
  std::int64_t epoch = 0;       ///< of the next batch, from 0
  std::int64_t batch = 0;       ///< the next batch within the epoch
  std::int64_t best_step = -1;  ///< of the best evaluation; -1: none yet
  double best_metric = 0;       ///< its value; larger is better
  double best_loss = 0;         ///< its validation loss, which decides between equal values
  std::int64_t stale = 0;       ///< evaluations since then
  double seconds = 0;           ///< spent in steps, without evaluations and checkpoints
};

struct Checkpoint {
  TrainingState state;
  nn::ParameterMap weights;    ///< by parameter name
  nn::ParameterMap optimizer;  ///< Adam::state()
};

/// The checkpoints of a run: safetensors files with checksums. The newest two are kept, and the
/// weights of the best evaluations to which they refer.
///
///   CheckpointFolder folder(run / "checkpoints");
///   folder.save({state, weights, adam.state()});
///   const auto last = folder.load_newest([](const std::string& notice) { ... });
class CheckpointFolder {
 public:
  /// Creates the folder. Throws std::runtime_error if that fails.
  explicit CheckpointFolder(std::filesystem::path folder);

  /// Writes a temporary file, flushes and renames it, so that a crash never damages older
  /// checkpoints. Throws std::runtime_error if the file cannot be written; older checkpoints stay.
  void save(const Checkpoint& checkpoint);
  /// The weights of an evaluation, to be saved before the checkpoint that refers to it.
  void save_best(std::int64_t step, const nn::ParameterMap& weights);

  /// The newest undamaged checkpoint, if there is one; `notice` receives a sentence for each newer,
  /// damaged one.
  std::optional<Checkpoint> load_newest(
      const std::function<void(const std::string&)>& notice) const;
  /// Throws std::invalid_argument if the file is missing or damaged.
  nn::ParameterMap load_best(std::int64_t step) const;

  /// The newest file, for messages; empty if there is none.
  std::filesystem::path newest() const;

 private:
  void remove_old() const;

  std::filesystem::path folder_;
};

}  // namespace fastformer::train
