#pragma once

#include <string>
#include <vector>

#include "fastformer/study/experiment.h"
#include "fastformer/study/experiment_cell.h"
#include "fastformer/train/observer.h"
#include "fastformer/train/run_result.h"

namespace fastformer::study {

/// Is told what happens while an experiment runs; of the steps within a cell as any Observer.
class ExperimentObserver : public train::Observer {
 public:
  virtual void on_cell_begin(const Cell&, CellState) {}
  virtual void on_cell_end(const Cell&, const train::RunResult&) {}
  /// Another process is at the cell, which is left to it.
  virtual void on_cell_in_use(const Cell&) {}
  /// The cell could not be finished; the others go on.
  virtual void on_cell_failure(const Cell&, const std::string& /*reason*/) {}
};

struct ExperimentOutcome {
  std::vector<const Cell*> failed;  ///< in their order
  std::vector<const Cell*> in_use;  ///< by other processes when their turn came
  bool stopped = false;             ///< by a signal, after a checkpoint
};

/// Trains the cells that are not finished, one after another, and writes the results after each.
///
///   const auto cells = experiment.select({});
///   experiment.check_ready(cells);
///   run_experiment(experiment, cells, observer);
///
/// A cell that was interrupted goes on from its checkpoint, one whose recipe changed is replaced. A
/// crash loses what the cell at work did since its last checkpoint. Several processes may share an
/// experiment: each skips the cell that another is at.
ExperimentOutcome run_experiment(const Experiment& experiment,
                                 const std::vector<const Cell*>& cells,
                                 ExperimentObserver& observer);

}  // namespace fastformer::study
