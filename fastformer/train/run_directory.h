#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastformer/train/observer.h"
#include "fastformer/train/recipe.h"
#include "fastformer/train/task.h"
#include "fastformer/train/tensorboard_writer.h"

namespace fastformer::train {

/// Thrown if another process has locked the folder.
struct FolderInUse : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// Locks a folder against other processes while the object exists, by a system lock on the file
/// `.lock`. The system releases it when the process ends, even if the process is killed.
class FolderLock {
 public:
  enum class IfTaken { kThrow, kWait };

  /// Throws FolderInUse if another process holds the lock (with kThrow; kWait waits instead),
  /// std::runtime_error if the folder cannot be written.
  explicit FolderLock(const std::filesystem::path& folder, IfTaken if_taken = IfTaken::kThrow);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  int descriptor_;
};

inline constexpr const char* kRecipeFile = "recipe.toml";
inline constexpr const char* kCheckpointsFolder = "checkpoints";
inline constexpr const char* kResultFile = "result.json";

/// The folder of one training run:
///   recipe.toml           the recipe with every field
///   prepared.json         what the data was prepared from, see train/prepared_record.h
///   metrics.jsonl         one JSON object for each logged step and each evaluation
///   tensorboard/          the same for TensorBoard
///   checkpoints/          see CheckpointFolder
///   cache/                the prepared data, unless the recipe names another folder
///   model/                the finished model
///   test.json ...         result files of the task for the test part, see its Task
///   result.json           see RunResult; the last file that a finished run writes
/// While the object exists, no other process can use the folder.
class RunDirectory final : public Observer {
 public:
  /// Starts a run, or resumes one. Throws std::invalid_argument if a new run would overwrite
  /// another, if there is nothing to resume, if the recipe differs from that of the run (naming the
  /// first different line), or if another process uses the folder. Removes unfinished files that
  /// killed processes left.
  RunDirectory(std::filesystem::path folder, const Recipe& recipe, bool resume);
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  /// Removes the folder if it was made for a run that did not begin, and nothing else is in it.
  ~RunDirectory() override;

  /// Compares the prepared data with the record of the run. Throws as check_prepared() does.
  void set_prepared(const std::vector<PreparedPart>& parts);
  /// Writes the recipe and removes log entries after `step`. Must be called once, before the first
  /// report.
  void begin(std::int64_t step);
  void on_step(const StepReport& report) override;
  void on_validation(const ValidationReport& report) override;

  const std::filesystem::path& path() const { return folder_; }
  std::filesystem::path model() const { return folder_ / "model"; }
  std::filesystem::path checkpoints() const { return folder_ / kCheckpointsFolder; }
  std::filesystem::path cache() const;
  bool names_no_cache() const { return cache_.empty(); }

 private:
  void check_same_recipe(const std::string& text) const;
  void write_line(const std::string& line);

  std::filesystem::path folder_;
  bool is_new_ = false;  ///< the folder was made for this run
  std::string cache_;
  std::vector<RecipeSource> sources_;
  std::string new_recipe_, new_record_;  ///< to be written when the run begins
  std::int64_t log_every_;
  std::optional<FolderLock> lock_;
  std::ofstream metrics_;
  std::unique_ptr<TensorboardWriter> tensorboard_;
  std::chrono::steady_clock::time_point logged_at_;
  std::int64_t tokens_since_ = 0;
};

}  // namespace fastformer::train
