#include "fastformer/train/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <set>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/train/prepared_record.h"

namespace fastformer::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExtension = ".safetensors";
constexpr std::size_t kKept = 2;

std::string file_name(const std::string& kind, std::int64_t step) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%012lld", static_cast<long long>(step));
  return kind + "-" + digits + kExtension;
}

struct NumberedFile {
  std::int64_t step;
  fs::path path;
};

// The files of a kind, the newest first.
std::vector<NumberedFile> list(const fs::path& folder, const std::string& kind) {
  std::vector<NumberedFile> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto stem = entry.path().stem().string();
    if (entry.path().extension() != kExtension || !stem.starts_with(kind + "-")) continue;
    const auto digits = stem.substr(kind.size() + 1);
    std::int64_t step = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), step);
    if (parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size()) {
      files.push_back({step, entry.path()});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.step > b.step; });
  return files;
}

// safetensors itself would not notice a changed number.
void save_with_checksum(const fs::path& path, const nn::ParameterMap& tensors) {
  nn::save_tensors(path, tensors, {{"checksum", std::to_string(checksum_of(tensors))}});
}

nn::ParameterMap load_with_checksum(const fs::path& path) {
  auto file = nn::load_tensors(path);
  if (file.metadata["checksum"] != std::to_string(checksum_of(file.tensors))) {
    throw std::invalid_argument(path.string() + ": its content does not match its checksum");
  }
  return std::move(file.tensors);
}

at::Tensor integers(const TrainingState& s) {
  return at::tensor({s.step, s.epoch, s.batch, s.best_step, s.stale, s.refit_from}, at::kLong);
}

// Takes the tensors of one kind out of a file, without their prefix.
nn::ParameterMap take(const nn::ParameterMap& tensors, const std::string& prefix) {
  nn::ParameterMap result;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) result.emplace(name.substr(prefix.size()), tensor);
  }
  return result;
}

Checkpoint load(const fs::path& path) {
  const auto tensors = load_with_checksum(path);
  const auto numbers = tensors.find("state"), metric = tensors.find("best_metric"),
             loss = tensors.find("best_loss"), seconds = tensors.find("seconds");
  // Older checkpoints have no refit_from.
  const auto count = numbers == tensors.end() ? 0 : numbers->second.numel();
  const auto is_number = [&](auto found) {
    return found != tensors.end() && found->second.numel() == 1;
  };
  if ((count != 5 && count != 6) || numbers->second.scalar_type() != at::kLong ||
      !is_number(metric) || !is_number(loss) || !is_number(seconds)) {
    throw std::invalid_argument(path.string() + ": is not a checkpoint of this program");
  }
  const auto* n = numbers->second.const_data_ptr<std::int64_t>();
  Checkpoint checkpoint;
  checkpoint.state = {.step = n[0],
                      .epoch = n[1],
                      .batch = n[2],
                      .best_step = n[3],
                      .best_metric = metric->second.item<double>(),
                      .best_loss = loss->second.item<double>(),
                      .stale = n[4],
                      .seconds = seconds->second.item<double>(),
                      .refit_from = count == 6 ? n[5] : -1};
  checkpoint.weights = take(tensors, "weights.");
  checkpoint.optimizer = take(tensors, "optimizer.");
  return checkpoint;
}

}  // namespace

CheckpointFolder::CheckpointFolder(fs::path folder) : folder_(std::move(folder)) {
  base::create_folder(folder_);
}

void CheckpointFolder::save(const Checkpoint& checkpoint) {
  nn::ParameterMap tensors;
  for (const auto& [name, tensor] : checkpoint.weights) tensors.emplace("weights." + name, tensor);
  for (const auto& [name, tensor] : checkpoint.optimizer) {
    tensors.emplace("optimizer." + name, tensor);
  }
  tensors.emplace("state", integers(checkpoint.state));
  tensors.emplace("best_metric", at::scalar_tensor(checkpoint.state.best_metric, at::kDouble));
  tensors.emplace("best_loss", at::scalar_tensor(checkpoint.state.best_loss, at::kDouble));
  tensors.emplace("seconds", at::scalar_tensor(checkpoint.state.seconds, at::kDouble));
  save_with_checksum(folder_ / file_name("step", checkpoint.state.step), tensors);
  remove_old();
}

void CheckpointFolder::save_best(std::int64_t step, const nn::ParameterMap& weights) {
  save_with_checksum(folder_ / file_name("best", step), weights);
}

std::optional<Checkpoint> CheckpointFolder::load_newest(
    const std::function<void(const std::string&)>& notice) const {
  for (const auto& file : list(folder_, "step")) {
    try {
      auto checkpoint = load(file.path);
      if (checkpoint.state.best_step >= 0) load_best(checkpoint.state.best_step);
      return checkpoint;
    } catch (const std::invalid_argument& error) {
      notice(std::string(error.what()) + "; using the previous checkpoint");
    }
  }
  return std::nullopt;
}

nn::ParameterMap CheckpointFolder::load_best(std::int64_t step) const {
  return load_with_checksum(folder_ / file_name("best", step));
}

void CheckpointFolder::clear() const {
  for (const auto* kind : {"step", "best"}) {
    for (const auto& file : list(folder_, kind)) fs::remove(file.path);
  }
}

fs::path CheckpointFolder::newest() const {
  const auto files = list(folder_, "step");
  return files.empty() ? fs::path() : files.front().path;
}

void CheckpointFolder::remove_old() const {
  const auto files = list(folder_, "step");
  for (std::size_t i = kKept; i < files.size(); ++i) fs::remove(files[i].path);
  // A kept checkpoint refers to the newest best weights that are not newer than itself.
  std::set<std::int64_t> wanted;
  const auto best = list(folder_, "best");
  for (std::size_t i = 0; i < std::min(kKept, files.size()); ++i) {
    const auto found = std::find_if(best.begin(), best.end(),
                                    [&](const auto& b) { return b.step <= files[i].step; });
    if (found != best.end()) wanted.insert(found->step);
  }
  for (const auto& file : best) {
    if (!wanted.contains(file.step)) fs::remove(file.path);
  }
}

}  // namespace fastformer::train
