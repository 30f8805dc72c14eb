#include "fastformer/base/model_directory.h"

#include <cstdint>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/fresh_path.h"
#include "fastformer/base/printable.h"

namespace fastformer::base {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfigFile = "config.json";
constexpr std::int64_t kFormatVersion = 2;

// The section [format] of config.json.
struct ModelFormat {
  std::string kind;
  std::int64_t version = 0;

  void visit_fields(FieldVisitor& visit) {
    visit("kind", kind, "kind of the model");
    visit("version", version, "version of the format of the model directory");
  }
  void validate() const {
    if (version == kFormatVersion) return;
    throw std::invalid_argument("the model has format version " + std::to_string(version) +
                                ", but this program reads version " +
                                std::to_string(kFormatVersion) +
                                "; use the program that wrote it, or train the model again");
  }
};

// Whether a model can take the place: of nothing, of an empty folder or of another model.
void check_place(const fs::path& place) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(place, error)) || fs::is_empty(place, error)) return;
  try {
    kind_of_model(place);
  } catch (const std::invalid_argument&) {
    throw std::invalid_argument(
        place.string() +
        " contains something other than a model, which would be lost; choose another folder");
  }
}

// Files beside those of the former model belong to someone else.
void keep_other_files(const fs::path& former, const fs::path& place) {
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator(former)) files.push_back(file.path());
  for (const auto& file : files) {
    const auto now = place / file.filename();
    if (!fs::exists(fs::symlink_status(now))) fs::rename(file, now);
  }
}

ConfigTree read_config(const fs::path& directory) {
  if (!fs::is_directory(directory)) {
    throw std::invalid_argument(directory.string() +
                                " is not a model directory; give the folder that training wrote, "
                                "such as runs/<name>/model");
  }
  const auto path = directory / kConfigFile;
  if (!fs::exists(path) && fs::exists(directory / "model" / kConfigFile)) {
    throw std::invalid_argument(
        directory.string() +
        " is a run directory; give its model directory instead: " + (directory / "model").string());
  }
  if (!fs::exists(path) && fs::exists(directory / "recipe.toml")) {
    throw std::invalid_argument(directory.string() +
                                " is a run that has no model yet; finish it with train --resume");
  }
  return ConfigTree::from_json(read_small_file(path), path.string());
}

ModelFormat read_format(const ConfigTree& config, const fs::path& path) {
  ModelFormat format;
  if (config.contains("format")) {
    config.read_section("format", format);
    return format;
  }
  // Version 1 kept the number in a section that was named after the kind of model.
  for (const auto& section : config.sections()) {
    if (!config.contains(section, "format_version")) continue;
    format.version = 1;
    format.validate();
  }
  throw std::invalid_argument(path.string() +
                              ": has no section 'format'; give the model directory that training "
                              "wrote");
}

// Messages about single values already begin with the file.
template <class Action>
auto naming(const fs::path& path, const Action& action) {
  try {
    return action();
  } catch (const std::invalid_argument& error) {
    const std::string message = error.what();
    if (message.starts_with(path.string())) throw;
    throw std::invalid_argument(path.string() + ": " + message);
  }
}

}  // namespace

void write_model_directory(const fs::path& directory, const std::string& kind,
                           const ConfigTree& config, const std::string& card,
                           const std::function<void(const fs::path&)>& write_rest) {
  ConfigTree tree;
  tree.write_section("format", ModelFormat{kind, kFormatVersion});
  tree.append(config.without_folders());
  check_place(directory);
  FreshFolder fresh(directory);
  write_file_atomically(fresh.path() / kConfigFile, tree.to_json() + "\n");
  write_rest(fresh.path());
  write_file_atomically(fresh.path() / "README.md", card);
  fresh.move_into_place();
  if (!fresh.path().empty()) keep_other_files(fresh.path(), directory);
}

std::string kind_of_model(const fs::path& directory) {
  const auto config = read_config(directory);
  const auto path = directory / kConfigFile;
  return naming(path, [&] { return read_format(config, path).kind; });
}

void read_model_config(const fs::path& directory, const std::string& kind,
                       std::vector<std::string> sections,
                       const std::function<void(const ConfigTree&)>& read) {
  const auto config = read_config(directory);
  const auto path = directory / kConfigFile;
  naming(path, [&] {
    const auto found = read_format(config, path).kind;
    if (found != kind) {
      throw std::invalid_argument("is the model of a " + excerpt(found) +
                                  "; expected the model of a " + kind);
    }
    sections.emplace_back("format");
    config.check_sections(sections);
    read(config);
  });
}

}  // namespace fastformer::base
