#include "fastformer/data/dataset_cache.h"

#include <unistd.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/data/cache_key.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

constexpr int kFormatVersion = 1;

}  // namespace

std::string cache_key(const DataConfig& config, const text::TokenizerConfig& text_config) {
  CacheKey key;
  key.add(std::int64_t{kFormatVersion});
  DataConfig data = config;
  data.cache.clear();  // where the cache lies changes nothing in it
  key.add_config(data);
  key.add_config(text_config);
  for (const auto* sources : {&config.train, &config.validation, &config.test}) {
    for (const auto& source : *sources) key.add_source(source);
  }
  if (!text_config.model_file.empty()) key.add_source(text_config.model_file);
  return key.hexadecimal();
}

void write_dataset_file(const fs::path& folder, const Dataset& dataset) {
  const nlohmann::ordered_json json = {{"version", kFormatVersion},
                                       {"labels", dataset.labels},
                                       {"dropped_rows", dataset.dropped_rows},
                                       {"dropped_classes", dataset.dropped_classes}};
  base::write_file_atomically(folder / kDatasetFile, json.dump(2) + "\n");
}

Dataset open_dataset(const fs::path& folder) {
  Dataset dataset;
  const fs::path file = folder / kDatasetFile;
  try {
    const auto json = nlohmann::json::parse(base::read_file(file));
    dataset.labels = json.at("labels").get<std::vector<std::string>>();
    dataset.dropped_rows = json.at("dropped_rows").get<std::int64_t>();
    dataset.dropped_classes = json.at("dropped_classes").get<std::int64_t>();
  } catch (const nlohmann::json::exception&) {
    throw std::invalid_argument(file.string() + ": is damaged; delete the folder " +
                                folder.string() + ", so that it is made again");
  }
  dataset.tokenizer = text::load_tokenizer(folder / kTokenizerFolder);
  dataset.train = TokenSet::open(folder / kTrainTokens);
  dataset.validation = TokenSet::open(folder / kValidationTokens);
  dataset.test = TokenSet::open(folder / kTestTokens);
  return dataset;
}

FolderInTheMaking::FolderInTheMaking(const fs::path& folder) : folder_(folder), temporary_(folder) {
  temporary_ += ".tmp." + std::to_string(::getpid());
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
  base::create_folder(temporary_);
}

FolderInTheMaking::~FolderInTheMaking() {
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
}

void FolderInTheMaking::finish() {
  std::error_code error;
  fs::rename(temporary_, folder_, error);
  if (error && !fs::exists(folder_ / kDatasetFile)) {
    throw std::runtime_error(folder_.string() + ": cannot be made: " + error.message() +
                             "; if an incomplete folder of that name is there, delete it");
  }
  base::sync_directory(folder_.parent_path());
}

}  // namespace fastformer::data
