#pragma once

#include <string>
#include <vector>

#include "fastformer/study/experiment.h"
#include "fastformer/study/experiment_cell.h"
#include "fastformer/train/observer.h"
#include "fastformer/train/run_result.h"

namespace fastformer::study {

/// Receives the progress of an experiment, and of the training within a cell as any Observer.
class ExperimentObserver : public train::Observer {
 public:
  virtual void on_cell_begin(const Cell&, CellState) {}
  virtual void on_cell_end(const Cell&, const train::RunResult&) {}
  /// Another process has locked the cell, so it is skipped.
  virtual void on_cell_in_use(const Cell&) {}
  /// The cell could not be finished; the experiment continues with the others.
  virtual void on_cell_failure(const Cell&, const std::string& /*reason*/) {}
};

struct ExperimentOutcome {
  std::vector<const Cell*> failed;  ///< in their order
  std::vector<const Cell*> in_use;  ///< locked by other processes
  bool stopped = false;             ///< by a signal, after a checkpoint
};

/// Trains the cells that are not finished, one after another, and writes the results after each.
///
///   const auto cells = experiment.select({});
///   experiment.check_ready(cells);
///   run_experiment(experiment, cells, observer);
///
/// An interrupted cell resumes from its checkpoint; a cell whose recipe changed is replaced. After
/// a crash, the running cell continues from its last checkpoint. Processes lock cells, so several
/// can share an experiment.
ExperimentOutcome run_experiment(const Experiment& experiment,
                                 const std::vector<const Cell*>& cells,
                                 ExperimentObserver& observer);

}  // namespace fastformer::study
