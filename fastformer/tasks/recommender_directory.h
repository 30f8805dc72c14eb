#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "fastformer/base/config_tree.h"
#include "fastformer/data/click_data_config.h"
#include "fastformer/tasks/recommender.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::tasks {

/// All that the directory of a recommender holds: config.json with the sections recommender, model,
/// data (how its training files were read) and pretrained (see PretrainedShape), and the files of
/// `model_files.h`.
struct RecommenderDirectory {
  data::ClickDataConfig data_config;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::unique_ptr<Recommender> model;
};

/// Throws as write_model_files() does.
void save_recommender(const std::filesystem::path& directory,
                      const data::ClickDataConfig& data_config, const text::Tokenizer& tokenizer,
                      const Recommender& model, const std::string& card);

/// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
/// damaged or of another kind or version.
RecommenderDirectory load_recommender(const std::filesystem::path& directory);

}  // namespace fastformer::tasks
