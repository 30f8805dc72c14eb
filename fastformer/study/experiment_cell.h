#pragma once

#include <optional>
#include <string>

#include "fastformer/study/experiment.h"
#include "fastformer/train/run_result.h"

namespace fastformer::study {

enum class CellState {
  kNew,          ///< nothing was trained
  kInterrupted,  ///< a run with the same recipe that can be resumed
  kChanged,      ///< a run with another recipe, to be replaced
  kFinished      ///< a run with the same recipe that wrote its result
};

/// "new", "interrupted", "changed" or "finished".
std::string to_string(CellState state);

/// The state of a cell's folder.
struct CellStatus {
  CellState state = CellState::kNew;
  std::optional<train::RecipeDifference> change;  ///< of kChanged: the first line that differs
  std::optional<train::RunResult> result;         ///< of kFinished
};

/// Only reads. A finished run stays finished if newer versions of the program added recipe fields
/// that have their defaults; an interrupted run does not.
CellStatus status_of(const Cell& cell);

/// Prepares the folder for a new run: removes the files of a changed run. Throws FolderInUse if
/// another process uses it.
void clear_folder(const Cell& cell);

/// Removes the checkpoints of a finished cell.
void drop_checkpoints(const Cell& cell);

}  // namespace fastformer::study
