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

/// What a cell's folder holds.
struct CellStatus {
  CellState state = CellState::kNew;
  std::optional<train::RecipeDifference> change;  ///< of kChanged: the first line that differs
  std::optional<train::RunResult> result;         ///< of kFinished
};

/// Only reads. A finished run keeps its standing when the program has learned new recipe fields
/// since, as long as they have their defaults; a run half done does not.
CellStatus status_of(const Cell& cell);

/// Makes the folder ready for a run from the start: takes away what a changed run left. Throws
/// FolderInUse when another process works there.
void clear_folder(const Cell& cell);

/// Removes the checkpoints of a finished cell, which nothing needs any more.
void drop_checkpoints(const Cell& cell);

}  // namespace fastformer::study
