#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/program.h"

namespace fastformer::cli {

/// Documents of three sentences whose summary is in the second, and a recipe that trains on them
/// within seconds.
class SmallPairs {
 public:
  SmallPairs() {
    write_part("train", 40);
    write_part("validation", 6);
    write_part("test", 7);
    folder_.write("recipe.toml",
                  "[task]\nname = \"summarization\"\n[data]\ntrain = [\"" + path("train.jsonl") +
                      "\"]\nvalidation = [\"" + path("validation.jsonl") + "\"]\ntest = [\"" +
                      path("test.jsonl") +
                      "\"]\n[text]\nminimum_count = 1\n"
                      "[model]\nwidth = 8\nheads = 2\nlayers = 1\nffn_width = 8\n"
                      "max_positions = 0\n"
                      "[model.decoder]\nlayers = 1\nffn_width = 8\nmax_positions = 16\n"
                      "[search]\nbeams = 2\nmax_tokens = 8\n"
                      "[train]\nbatch_size = 8\nepochs = 2\nlearning_rate = 0.02\nthreads = 1\n"
                      "checkpoint_every = 3\nlog_every = 1\n");
  }

  static std::string document(int i) {
    const auto n = std::to_string(i % 9);
    return (i % 2 == 0 ? "Markets were calm . Oil falls " : "The crowd cheered . Team wins ") + n +
           " times . That was all today .";
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string content(const std::string& name) const { return content_of(folder_ / name); }
  const testing::TemporaryFolder& folder() const { return folder_; }
  Words train(const std::string& run) const {
    return {"train", path("recipe.toml"), "--output", path(run)};
  }
  /// What a run leaves, and what must not depend on whether it was stopped.
  std::map<std::string, std::string> results(const std::string& run) const {
    std::map<std::string, std::string> files;
    for (const auto* file : {"model/model.safetensors", "test.json", "test_summaries.jsonl"}) {
      files[file] = content(run + "/" + file);
    }
    return files;
  }

 private:
  void write_part(const std::string& part, int pairs) const {
    std::string lines;
    for (int i = 0; i < pairs; ++i) {
      const auto n = std::to_string(i % 9);
      lines += nlohmann::json({{"source", document(i)},
                               {"target", (i % 2 == 0 ? "oil falls " : "team wins ") + n}})
                   .dump() +
               "\n";
    }
    folder_.write(part + ".jsonl", lines);
  }

  testing::TemporaryFolder folder_;
};

}  // namespace fastformer::cli
