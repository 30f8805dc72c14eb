#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "fastformer/nn/parameter_store.h"
#include "support/temporary_folder.h"
#include "tasks/parity_error.h"

/// Cases that the scripts of tests/parity make, and what is done with each of them.
namespace fastformer::testing {

/// Whether the scripts can run here; else a test is to be skipped with this sentence.
inline constexpr const char* kNoPython = "no .venv: run scripts/setup --tests";
inline std::filesystem::path parity_python() {
  return std::filesystem::path(FASTFORMER_SOURCE_DIR) / ".venv/bin/python";
}

/// Runs tests/parity/<script> with these arguments: whether it succeeded.
inline bool run_parity_script(const std::string& script, const std::string& arguments) {
  const auto path = std::filesystem::path(FASTFORMER_SOURCE_DIR) / "tests/parity" / script;
  const auto command = parity_python().string() + " " + path.string() + " " + arguments;
  return std::system(command.c_str()) == 0;
}

/// Folders of cases by the group that a script is asked for, each made once.
class ParityFolders {
 public:
  explicit ParityFolders(std::string script) : script_(std::move(script)) {}

  /// Null if the cases could not be made.
  const TemporaryFolder* of(const std::string& group) {
    auto [entry, missing] = folders_.try_emplace(group);
    if (!missing) return entry->second.get();
    auto folder = std::make_unique<TemporaryFolder>();
    if (run_parity_script(script_, folder->path().string() + " " + group)) {
      entry->second = std::move(folder);
    }
    return entry->second.get();
  }
  void clear() { folders_.clear(); }

 private:
  std::string script_;
  std::map<std::string, std::unique_ptr<TemporaryFolder>> folders_;
};

/// Gives a model the tensors "parameter.<name>" of a case.
inline void take_parameters(const nn::ParameterMap& model, const nn::ParameterMap& tensors,
                            const std::string& source) {
  nn::ParameterMap parameters;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with("parameter.")) parameters[name.substr(10)] = tensor;
  }
  nn::assign(model, parameters, source);
}

/// The largest element of the tensors "gradient.<name>" of a case.
inline double gradient_scale(const nn::ParameterMap& tensors) {
  double scale = 0;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with("gradient.")) scale = std::max(scale, largest(tensor));
  }
  return scale;
}

/// The gradient of a parameter as a dense tensor; zeros where it has none.
inline at::Tensor dense_gradient(const at::Tensor& parameter) {
  const auto& gradient = parameter.grad();
  if (!gradient.defined()) return at::zeros_like(parameter);
  return gradient.is_sparse() ? gradient.to_dense() : gradient;
}

}  // namespace fastformer::testing
