#include "fastformer/study/experiment_runner.h"

#include <c10/util/Exception.h>

#include <exception>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/study/experiment_results.h"
#include "fastformer/study/experiment_tables.h"
#include "fastformer/train/run_directory.h"
#include "fastformer/train/stop_signal.h"
#include "fastformer/train/training_run.h"

namespace fastformer::study {
namespace {

enum class CellEnd { kFinished, kFinishedAndStopped, kStopped };

CellEnd train_cell(const Experiment& experiment, const Cell& cell, CellState state,
                   ExperimentObserver& observer) {
  if (state != CellState::kInterrupted) clear_folder(cell);
  train::TrainingRun run(*cell.recipe, cell.folder,
                         {.resume = state == CellState::kInterrupted,
                          .keep_model = experiment.file().keep_models,
                          .cache = experiment.cache(),
                          .notice = train::notices_to(&observer)});
  const train::StopSignal stop;
  if (!run.train({&observer}, [&] { return stop.requested(); })) return CellEnd::kStopped;
  const auto finished = run.finish();
  if (!finished.result.test) {
    throw std::runtime_error(
        base::format("the test part has no labelled %s", cell.recipe->measures().items.c_str()));
  }
  drop_checkpoints(cell);
  observer.on_cell_end(cell, finished.result);
  return stop.requested() ? CellEnd::kFinishedAndStopped : CellEnd::kFinished;
}

}  // namespace

ExperimentOutcome run_experiment(const Experiment& experiment,
                                 const std::vector<const Cell*>& cells,
                                 ExperimentObserver& observer) {
  ExperimentOutcome outcome;
  ResultsCollector collector(experiment);
  const auto fail = [&](const Cell& cell, const std::string& reason) {
    outcome.failed.push_back(&cell);
    observer.on_cell_failure(cell, reason);
  };
  write_results(experiment, collector);
  for (const auto* cell : cells) {
    const auto state = status_of(*cell).state;
    if (state == CellState::kFinished) {
      drop_checkpoints(*cell);  // an earlier process may have crashed
      continue;
    }
    observer.on_cell_begin(*cell, state);
    try {
      const auto end = train_cell(experiment, *cell, state, observer);
      outcome.stopped = end != CellEnd::kFinished;
      if (end != CellEnd::kStopped) write_results(experiment, collector);
    } catch (const train::FolderInUse&) {
      outcome.in_use.push_back(cell);
      observer.on_cell_in_use(*cell);
    } catch (const c10::Error& error) {
      fail(*cell, error.what_without_backtrace());
    } catch (const std::exception& error) {
      fail(*cell, error.what());
    }
    if (outcome.stopped) break;
  }
  return outcome;
}

}  // namespace fastformer::study
