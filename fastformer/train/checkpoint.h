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
  std::int64_t step = 0;         ///< steps done
  std::int64_t epoch = 0;        ///< epoch of the next batch, from 0
  std::int64_t batch = 0;        ///< index of the next batch in the epoch
  std::int64_t best_step = -1;   ///< step of the best evaluation; -1: none yet
  double best_metric = 0;        ///< its value; larger is better
  double best_loss = 0;          ///< its validation loss, which decides if values are equal
  std::int64_t stale = 0;        ///< number of evaluations since then
  double seconds = 0;            ///< time in steps, without evaluations and checkpoints
  std::int64_t refit_from = -1;  ///< number of steps before the second training; -1: the first one

  bool refitting() const { return refit_from >= 0; }
};

struct Checkpoint {
  TrainingState state;
  nn::ParameterMap weights;    ///< by parameter name
  nn::ParameterMap optimizer;  ///< Adam::state()
};

/// The checkpoints of a run: safetensors files with checksums. Keeps the two newest checkpoints and
/// the weights of the best evaluations to which they refer.
///
///   CheckpointFolder folder(run / "checkpoints");
///   folder.save({state, weights, adam.state()});
///   const auto last = folder.load_newest([](const std::string& notice) { ... });
class CheckpointFolder {
 public:
  /// Creates the folder. Throws std::runtime_error if it cannot be created.
  explicit CheckpointFolder(std::filesystem::path folder);

  /// Writes and flushes a temporary file and renames it, so that a crash never damages older
  /// checkpoints. Throws std::runtime_error if the file cannot be written; older ones are kept.
  void save(const Checkpoint& checkpoint);
  /// Stores the weights of an evaluation. Call it before saving a checkpoint that refers to them.
  void save_best(std::int64_t step, const nn::ParameterMap& weights);

  /// The newest undamaged checkpoint; nullopt if there is none. `notice` receives one sentence for
  /// each damaged newer checkpoint.
  std::optional<Checkpoint> load_newest(
      const std::function<void(const std::string&)>& notice) const;
  /// The weights of the evaluation at `step`. Throws std::invalid_argument if missing or damaged.
  nn::ParameterMap load_best(std::int64_t step) const;

  /// Removes all checkpoints, for a run that starts from the beginning: damaged ones would count as
  /// newer than its own.
  void clear() const;
  /// The newest checkpoint file, for messages; empty if there is none.
  std::filesystem::path newest() const;

 private:
  void remove_old() const;

  std::filesystem::path folder_;
};

}  // namespace fastformer::train
