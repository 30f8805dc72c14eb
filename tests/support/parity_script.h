#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "support/temporary_folder.h"

/// The scripts of tests/parity, which make cases from independent code in Python.
namespace fastformer::testing {

inline std::filesystem::path parity_python() {
  return std::filesystem::path(FASTFORMER_SOURCE_DIR) / ".venv/bin/python";
}

/// Skips a test that needs the scripts where they cannot run. With FASTFORMER_STRICT_TESTS in the
/// environment, as in .ci/run, it fails instead: what was to be compared with an oracle was not.
#define FASTFORMER_NEEDS_PARITY_SCRIPTS()                                 \
  if (!std::filesystem::exists(::fastformer::testing::parity_python())) { \
    if (std::getenv("FASTFORMER_STRICT_TESTS") != nullptr) {              \
      FAIL() << "no .venv: run scripts/setup --tests";                    \
    }                                                                     \
    GTEST_SKIP() << "no .venv: run scripts/setup --tests";                \
  }                                                                       \
  static_assert(true)

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

}  // namespace fastformer::testing
