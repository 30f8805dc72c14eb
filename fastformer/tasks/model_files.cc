#include "fastformer/tasks/model_files.h"

#include <stdexcept>
#include <system_error>

#include "fastformer/base/atomic_file.h"
#include "fastformer/nn/tensor_file.h"

namespace fastformer::tasks {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfigFile = "config.json";
constexpr const char* kWeightsFile = "model.safetensors";

// Removes a half-written directory when writing throws.
class NewDirectory {
 public:
  explicit NewDirectory(const fs::path& place) : place_(place), path_(place.string() + ".new") {
    fs::remove_all(path_);
    base::create_folder(path_);
  }
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;
  ~NewDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

  void move_into_place() {
    const fs::path old = place_.string() + ".old";
    fs::remove_all(old);
    if (fs::exists(place_)) fs::rename(place_, old);
    fs::rename(path_, place_);
    base::sync_directory(place_.has_parent_path() ? place_.parent_path() : fs::path("."));
    fs::remove_all(old);
  }

 private:
  fs::path place_, path_;
};

base::ConfigTree read_config(const fs::path& directory) {
  if (!fs::is_directory(directory)) {
    throw std::invalid_argument(directory.string() +
                                " is no model directory; give the folder that training wrote, "
                                "such as runs/<name>/model");
  }
  const auto path = directory / kConfigFile;
  return base::ConfigTree::from_json(base::read_file(path), path.string());
}

std::string kind_in(const base::ConfigTree& config, const fs::path& path) {
  for (const auto* kind : {"classifier", "recommender", "summarizer"}) {
    if (config.contains(kind, "format_version")) return kind;
  }
  throw std::invalid_argument(path.string() +
                              ": has no classifier.format_version, nor that of a recommender or "
                              "summarizer; give the directory that training wrote");
}

}  // namespace

void ModelFormat::validate() const {
  if (format_version == kVersion) return;
  throw std::invalid_argument("the model is of format version " + std::to_string(format_version) +
                              ", this program reads version " + std::to_string(kVersion) +
                              "; use the program that wrote it, or train again");
}

void write_model_files(const fs::path& directory, const base::ConfigTree& config,
                       const nn::ParameterMap& parameters, const text::Tokenizer& tokenizer,
                       const std::string& card) {
  NewDirectory fresh(directory);
  base::write_file_atomically(fresh.path() / kConfigFile, config.to_json() + "\n");
  nn::save_tensors(fresh.path() / kWeightsFile, parameters, {{"format", "pt"}});
  tokenizer.save(fresh.path());
  base::write_file_atomically(fresh.path() / "README.md", card);
  fresh.move_into_place();
}

std::string kind_of_model(const fs::path& directory) {
  return kind_in(read_config(directory), directory / kConfigFile);
}

void read_model_files(const fs::path& directory, const std::string& kind,
                      const std::function<void(const base::ConfigTree&)>& read) {
  const auto path = directory / kConfigFile;
  const auto tree = read_config(directory);
  const auto own = kind_in(tree, path);
  if (own != kind) {
    throw std::invalid_argument(path.string() + ": is the model of a " + own +
                                "; this needs that of a " + kind);
  }
  try {
    read(tree);
  } catch (const std::invalid_argument& error) {
    const std::string message = error.what();
    // Messages about single values already begin with the file.
    if (message.starts_with(path.string())) throw;
    throw std::invalid_argument(path.string() + ": " + message);
  }
}

void load_weights(const fs::path& directory, const nn::ParameterMap& parameters) {
  const auto weights = directory / kWeightsFile;
  nn::assign(parameters, nn::load_tensors(weights).tensors, weights.string());
}

}  // namespace fastformer::tasks
