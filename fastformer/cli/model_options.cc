#include "fastformer/cli/model_options.h"

#include <algorithm>
#include <stdexcept>

#include "fastformer/base/model_directory.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/tasks/task_table.h"

namespace fastformer::cli {

void add_compute_options(CLI::App& command, Options& options) {
  add_word_option(command, "--precision", options.precision,
                  "Precision of matrix products: fp32, bf16, or auto (bf16 on CPUs where it is "
                  "faster); layers of 8 bits keep 8 bits");
  command.add_option("--threads", options.threads, "CPU cores to use; 0: all")
      ->check(CLI::Range(std::int64_t{0}, kernels::kMostThreads));
}

void check_model_for(const std::string& command, const std::filesystem::path& model) {
  const auto& task = tasks::task_of_model(model);
  if (std::find(task.commands.begin(), task.commands.end(), command) != task.commands.end()) return;
  std::string right;
  for (const auto& name : task.commands) right += (right.empty() ? "" : ", ") + name;
  throw std::invalid_argument(
      model.string() + " contains a " + base::kind_of_model(model) + ", which the command '" +
      command + "' does not support; use evaluate, inspect" + (right.empty() ? "" : ", " + right));
}

}  // namespace fastformer::cli
