#include "fastformer/data/pair_dataset_cache.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/data/cache_key.h"
#include "fastformer/data/dataset_cache.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

constexpr int kFormatVersion = 1;

nlohmann::ordered_json to_json(const PairCounts& counts) {
  return {{"empty", counts.empty}, {"too_short", counts.too_short}};
}

PairCounts counts_of(const nlohmann::json& json) {
  return {.empty = json.at("empty").get<std::int64_t>(),
          .too_short = json.at("too_short").get<std::int64_t>()};
}

}  // namespace

std::string cache_key(const PairDataConfig& config, const text::TokenizerConfig& text_config) {
  CacheKey key;
  key.add(std::string("pairs"));
  key.add(std::int64_t{kFormatVersion});
  PairDataConfig data = config;
  data.cache.clear();  // where the cache lies changes nothing in it
  key.add_config(data);
  key.add_config(text_config);
  for (const auto* entries : {&config.train, &config.validation, &config.test}) {
    for (const auto& entry : *entries) {
      for (const auto& source : pair_sources(config, entry)) key.add_source(source.string());
    }
  }
  if (!text_config.model_file.empty()) key.add_source(text_config.model_file);
  return key.hexadecimal();
}

void write_dataset_file(const fs::path& folder, const PairDataset& dataset) {
  const nlohmann::ordered_json json = {{"version", kFormatVersion},
                                       {kTrainPart, to_json(dataset.train_dropped)},
                                       {kValidationPart, to_json(dataset.validation_dropped)},
                                       {kTestPart, to_json(dataset.test_dropped)}};
  base::write_file_atomically(folder / kDatasetFile, json.dump(2) + "\n");
}

PairDataset open_pair_dataset(const fs::path& folder) {
  PairDataset dataset;
  const fs::path file = folder / kDatasetFile;
  try {
    const auto json = nlohmann::json::parse(base::read_file(file));
    dataset.train_dropped = counts_of(json.at(kTrainPart));
    dataset.validation_dropped = counts_of(json.at(kValidationPart));
    dataset.test_dropped = counts_of(json.at(kTestPart));
  } catch (const nlohmann::json::exception&) {
    throw std::invalid_argument(file.string() + ": is damaged; delete the folder " +
                                folder.string() + ", so that it is made again");
  }
  dataset.tokenizer = text::load_tokenizer(folder / kTokenizerFolder);
  dataset.train = PairSet::open(folder, kTrainPart);
  dataset.validation = PairSet::open(folder, kValidationPart);
  dataset.test = PairSet::open(folder, kTestPart);
  return dataset;
}

}  // namespace fastformer::data
