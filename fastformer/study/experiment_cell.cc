#include "fastformer/study/experiment_cell.h"

#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/fresh_path.h"
#include "fastformer/metrics/comparison.h"
#include "fastformer/tasks/task_table.h"
#include "fastformer/train/run_directory.h"

namespace fastformer::study {
namespace {

namespace fs = std::filesystem;

// The recipe as this version of the program writes it; unchanged if it cannot be read.
std::string recipe_of_today(const fs::path& path) {
  try {
    return tasks::load_recipe(path)->tree().to_toml();
  } catch (const std::invalid_argument&) {
    return base::read_small_file(path);
  }
}

// Empty if the run did not finish or its files are damaged.
std::optional<train::RunResult> finished_result(const fs::path& folder) {
  if (!fs::exists(folder / train::kResultFile) || !metrics::has_test_results(folder))
    return std::nullopt;
  try {
    auto result = train::read_run_result(folder / train::kResultFile);
    if (result.test) return result;
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::string to_string(CellState state) {
  switch (state) {
    case CellState::kNew:
      return "new";
    case CellState::kInterrupted:
      return "interrupted";
    case CellState::kChanged:
      return "changed";
    case CellState::kFinished:
      return "finished";
  }
  throw std::logic_error("to_string: no CellState");
}

CellStatus status_of(const Cell& cell) {
  const auto path = cell.folder / train::kRecipeFile;
  if (!fs::exists(path)) return {};
  const auto now = cell.recipe->tree().to_toml();
  auto result = finished_result(cell.folder);
  auto change =
      train::first_difference(now, result ? recipe_of_today(path) : base::read_small_file(path));
  if (change) return {.state = CellState::kChanged, .change = std::move(change)};
  if (!result) return {.state = CellState::kInterrupted};
  return {.state = CellState::kFinished, .result = std::move(result)};
}

void clear_folder(const Cell& cell) {
  // Renamed first: half a removal would leave checkpoints that a new run takes for its own.
  if (cell.folder.has_parent_path()) base::remove_leftovers(cell.folder.parent_path());
  const auto old = base::fresh_name(cell.folder);
  // A folder that is not a run of ours stays, but its checkpoints go: a run would resume from them.
  if (!fs::exists(cell.folder / train::kRecipeFile)) return drop_checkpoints(cell);
  {
    const train::FolderLock lock(cell.folder);
    fs::rename(cell.folder, old);
  }
  fs::remove_all(old);
}

void drop_checkpoints(const Cell& cell) { fs::remove_all(cell.folder / train::kCheckpointsFolder); }

}  // namespace fastformer::study
