#include "fastformer/tasks/model_directory.h"

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
    fs::create_directories(path_);
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

void check_is_model(const base::ConfigTree& tree, const fs::path& path) {
  if (!tree.contains("classifier", "format_version")) {
    throw std::invalid_argument(path.string() +
                                ": has no classifier.format_version; give the directory that "
                                "training wrote");
  }
}

}  // namespace

void ClassifierFormat::validate() const {
  if (format_version != kFormatVersion) {
    throw std::invalid_argument("the model is of format version " + std::to_string(format_version) +
                                ", this program reads version " + std::to_string(kFormatVersion) +
                                "; use the program that wrote it, or train again");
  }
  if (labels.size() < 2) {
    throw std::invalid_argument("classifier.labels has " + std::to_string(labels.size()) +
                                " labels; a classifier needs two or more");
  }
}

void save_model(const fs::path& directory, const ClassifierFormat& format,
                const data::DataConfig& data_config, const text::Tokenizer& tokenizer,
                const TextClassifier& model, const std::string& card) {
  NewDirectory fresh(directory);
  base::ConfigTree tree;
  tree.write_section("classifier", format);
  tree.write_section("model", model.config());
  tree.write_section("data", data_config);
  base::write_file_atomically(fresh.path() / kConfigFile, tree.to_json() + "\n");
  nn::save_tensors(fresh.path() / kWeightsFile, model.parameters(), {{"format", "pt"}});
  tokenizer.save(fresh.path());
  base::write_file_atomically(fresh.path() / "README.md", card);
  fresh.move_into_place();
}

ModelDirectory load_model(const fs::path& directory) {
  if (!fs::is_directory(directory)) {
    throw std::invalid_argument(directory.string() +
                                " is no model directory; give the folder that training wrote, "
                                "such as runs/<name>/model");
  }
  const auto path = directory / kConfigFile;
  const auto tree = base::ConfigTree::from_json(base::read_file(path), path.string());
  check_is_model(tree, path);
  ModelDirectory result;
  try {
    tree.read_section("classifier", result.format);
    tree.check_sections({"classifier", "model", "data"});
    result.model_config = read_model_config(tree);
    tree.read_section("data", result.data_config);
  } catch (const std::invalid_argument& error) {
    const std::string message = error.what();
    // Messages about single values already begin with the file.
    if (message.starts_with(path.string())) throw;
    throw std::invalid_argument(path.string() + ": " + message);
  }
  result.tokenizer = text::load_tokenizer(directory);
  result.model = std::make_unique<TextClassifier>(
      result.model_config, result.tokenizer->vocabulary_size(),
      static_cast<std::int64_t>(result.format.labels.size()), /*seed=*/0);
  const auto weights = directory / kWeightsFile;
  nn::assign(result.model->parameters(), nn::load_tensors(weights).tensors, weights.string());
  return result;
}

}  // namespace fastformer::tasks
