#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "fastformer/base/config_tree.h"
#include "fastformer/data/pair_config.h"
#include "fastformer/tasks/search_config.h"
#include "fastformer/tasks/summarizer.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::tasks {

/// All that the directory of a summarizer holds: config.json with the sections summarizer, model,
/// search and data (how its training files were read), and the files of `model_files.h`.
struct SummarizerDirectory {
  data::PairDataConfig data_config;
  SearchConfig search;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::unique_ptr<Summarizer> model;
};

/// Throws as write_model_files() does.
void save_summarizer(const std::filesystem::path& directory,
                     const data::PairDataConfig& data_config, const SearchConfig& search,
                     const text::Tokenizer& tokenizer, const Summarizer& model,
                     const std::string& card);

/// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
/// damaged or of another kind or version.
SummarizerDirectory load_summarizer(const std::filesystem::path& directory);

}  // namespace fastformer::tasks
