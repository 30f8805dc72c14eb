#include "fastformer/tasks/task_table.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "fastformer/base/model_directory.h"
#include "fastformer/base/printable.h"
#include "fastformer/base/registry.h"
#include "fastformer/classification/task_kind.h"
#include "fastformer/recommendation/task_kind.h"
#include "fastformer/summarization/task_kind.h"

namespace fastformer::tasks {
namespace {

base::Registry<train::TaskKind>& table() {
  static base::Registry<train::TaskKind> rows(
      "task.name",
      {classification::task_kind(), recommendation::task_kind(), summarization::task_kind()});
  return rows;
}

// The section [task].
struct TaskSection {
  std::string name = table().rows().front().name;

  void visit_fields(base::FieldVisitor& visit) {
    visit("name", name, "the task", base::one_of(task_names()));
  }
  void validate() const {}
};

}  // namespace

void register_task(train::TaskKind kind) { table().add(std::move(kind)); }

std::vector<std::string> task_names() { return table().names(); }

const train::TaskKind& task_named(const std::string& name) { return table().find(name); }

const train::TaskKind& task_of_model(const std::filesystem::path& directory) {
  namespace fs = std::filesystem;
  constexpr const char* kConfigFile = "config.json";
  const auto inside = directory / "model";
  if (!fs::exists(directory / kConfigFile) && fs::exists(inside / kConfigFile)) {
    throw std::invalid_argument(
        directory.string() +
        " is a run directory; give its model directory instead: " + inside.string());
  }
  const auto kind = base::kind_of_model(directory);
  for (const auto& row : table().rows()) {
    if (std::find(row.models.begin(), row.models.end(), kind) != row.models.end()) return row;
  }
  throw std::invalid_argument(directory.string() + " contains a model of the kind '" +
                              base::excerpt(kind) + "', which this program does not support");
}

std::string task_of_recipe(const base::ConfigTree& tree) {
  TaskSection section;
  tree.read_section("task", section);
  return section.name;
}

std::unique_ptr<train::Recipe> read_recipe(const base::ConfigTree& tree) {
  return task_named(task_of_recipe(tree)).read_recipe(tree);
}

std::unique_ptr<train::Recipe> load_recipe(const std::filesystem::path& file,
                                           const std::vector<std::string>& assignments) {
  return read_recipe(base::ConfigTree::from_toml(file, assignments));
}

}  // namespace fastformer::tasks
