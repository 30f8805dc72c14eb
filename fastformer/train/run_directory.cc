#include "fastformer/train/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/fresh_path.h"
#include "fastformer/train/prepared_record.h"

namespace fastformer::train {

constexpr const char* kLockFile = ".lock";

FolderLock::FolderLock(const std::filesystem::path& folder, IfTaken if_taken) {
  const auto path = folder / kLockFile;
  descriptor_ = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw std::runtime_error(path.string() + ": cannot be written (" + std::strerror(errno) + ")");
  }
  const int operation = if_taken == IfTaken::kWait ? LOCK_EX : LOCK_EX | LOCK_NB;
  int failed = flock(descriptor_, operation);
  while (failed != 0 && errno == EINTR) failed = flock(descriptor_, operation);
  if (failed != 0) {
    close(descriptor_);
    throw FolderInUse(folder.string() +
                      " is in use by another process; wait for it, or use another --output");
  }
}

FolderLock::~FolderLock() { close(descriptor_); }

namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr const char* kMetricsFile = "metrics.jsonl";

// The lines up to `step`; a line that a crash cut off is dropped together with the following ones.
std::string lines_until(const fs::path& path, std::int64_t step) {
  base::check_regular_file(path);
  std::ifstream file(path);
  std::string kept;
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    const auto number = json.is_object() ? json.find("step") : json.end();
    if (number == json.end() || !number->is_number_integer() || *number > step) break;
    kept += line + "\n";
  }
  return kept;
}

}  // namespace

RunDirectory::RunDirectory(fs::path folder, const Recipe& recipe, bool resume)
    : folder_(std::move(folder)),
      cache_(recipe.cache()),
      sources_(recipe.sources()),
      log_every_(recipe.train.log_every),
      logged_at_(steady_clock::now()) {
  const bool started = fs::exists(folder_ / kRecipeFile);
  if (resume && !started) {
    throw std::invalid_argument(folder_.string() +
                                " contains no run to resume; remove --resume to start one");
  }
  if (!resume && started) {
    throw std::invalid_argument(
        folder_.string() +
        " already contains a run; use --resume to resume it, or another --output");
  }
  is_new_ = !fs::exists(folder_);
  base::create_folder(folder_);
  lock_.emplace(folder_);
  base::remove_leftovers(folder_);
  base::remove_leftovers(checkpoints());
  const auto text = recipe.tree().to_toml();
  if (resume) {
    check_same_recipe(text);
  } else {
    new_recipe_ = text;
  }
}

RunDirectory::~RunDirectory() {
  std::error_code ignored;
  if (!is_new_ || fs::exists(folder_ / kRecipeFile, ignored)) return;
  fs::remove(folder_ / "cache", ignored);  // only if it is empty, as the folder
  fs::remove(folder_ / kLockFile, ignored);
  fs::remove(folder_, ignored);
}

void RunDirectory::check_same_recipe(const std::string& text) const {
  const auto difference = first_difference(text, base::read_small_file(folder_ / kRecipeFile));
  if (!difference) return;
  throw std::invalid_argument(
      "the recipe differs from the one that started " + folder_.string() + ": it has `" +
      difference->now + "` where the run has `" + difference->before +
      "`; resume with the same recipe, or start another run" +
      (fs::exists(model()) ? " with --from " + model().string() : "") + " in another --output");
}

void RunDirectory::set_prepared(const std::vector<PreparedPart>& parts) {
  if (new_recipe_.empty()) return check_prepared(folder_, parts, sources_);
  new_record_ = prepared_record(parts, sources_);
}

fs::path RunDirectory::cache() const {
  return cache_.empty() ? folder_ / "cache" : fs::path(cache_);
}

void RunDirectory::begin(std::int64_t step) {
  // Not before: data that cannot be read leave no run behind.
  // The recipe last: it is what makes the folder that of a run.
  if (!new_recipe_.empty()) {
    base::write_file_atomically(folder_ / kPreparedFile, new_record_);
    base::write_file_atomically(folder_ / kRecipeFile, new_recipe_);
  }
  const auto path = folder_ / kMetricsFile;
  base::write_file_atomically(path, lines_until(path, step));
  metrics_.open(path, std::ios::app);
  tensorboard_ = std::make_unique<TensorboardWriter>(folder_ / "tensorboard", step + 1);
  logged_at_ = steady_clock::now();
}

void RunDirectory::write_line(const std::string& line) {
  metrics_ << line << std::endl;
  if (!metrics_) {
    throw std::runtime_error((folder_ / kMetricsFile).string() + ": cannot be written (" +
                             std::strerror(errno) + ")");
  }
}

void RunDirectory::on_step(const StepReport& report) {
  tokens_since_ += report.tokens;
  if (report.step % log_every_ != 0 && report.step != report.total_steps) return;
  const std::chrono::duration<double> seconds = steady_clock::now() - logged_at_;
  const double speed = static_cast<double>(tokens_since_) / std::max(seconds.count(), 1e-9);
  logged_at_ = steady_clock::now();
  tokens_since_ = 0;
  const nlohmann::ordered_json json = {{"step", report.step},
                                       {"epoch", report.epoch},
                                       {"loss", report.loss},
                                       {"learning_rate", report.learning_rate},
                                       {"gradient_norm", report.gradient_norm},
                                       {"tokens_per_second", speed}};
  write_line(json.dump());
  for (const auto* key : {"loss", "learning_rate", "tokens_per_second"}) {
    tensorboard_->add_scalar(std::string("train/") + key, json[key], report.step);
  }
  tensorboard_->flush();
}

void RunDirectory::on_validation(const ValidationReport& report) {
  nlohmann::ordered_json json = {{"step", report.step}, {"epoch", report.epoch}};
  for (const auto& [name, value] : report.scores) json["validation_" + name] = value;
  json["best"] = report.best;
  write_line(json.dump());
  for (const auto& [name, value] : report.scores) {
    tensorboard_->add_scalar("validation/" + name, value, report.step);
  }
  tensorboard_->flush();
  logged_at_ = steady_clock::now();
}

}  // namespace fastformer::train
