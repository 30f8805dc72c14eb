#include "fastformer/data/dataset_cache.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/random.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

constexpr int kFormatVersion = 1;

// Collects values into one hash, each with its length so that no two lists look alike.
class KeyBuilder {
 public:
  void add(const std::string& text) {
    hash_ = base::fnv1a(std::to_string(text.size()) + ":" + text, hash_);
  }
  void add(const std::vector<std::string>& texts) {
    add(static_cast<std::int64_t>(texts.size()));
    for (const auto& text : texts) add(text);
  }
  void add(std::int64_t number) { add(std::to_string(number)); }
  void add(bool flag) { add(std::int64_t{flag}); }
  void add(double number) {
    char text[40];
    std::snprintf(text, sizeof(text), "%a", number);
    add(std::string(text));
  }
  template <class Config>
  void add_config(const Config& config) {
    Config::visit_fields(config, [&](const char* name, const auto& field, const char*, auto&&...) {
      add(std::string(name));
      add(field);
    });
  }
  std::string hexadecimal() const {
    char text[17];
    std::snprintf(text, sizeof(text), "%016llx",
                  static_cast<unsigned long long>(base::mix64(hash_)));
    return text;
  }

 private:
  std::uint64_t hash_ = base::fnv1a("");
};

void add_file(const fs::directory_entry& file, KeyBuilder& key) {
  key.add(fs::absolute(file.path()).lexically_normal().string());
  key.add(static_cast<std::int64_t>(file.file_size()));
  key.add(static_cast<std::int64_t>(file.last_write_time().time_since_epoch().count()));
}

void add_source(const std::string& source, KeyBuilder& key) {
  std::error_code error;
  const fs::directory_entry entry(source, error);
  if (source == "-" || !entry.exists(error)) {
    throw std::invalid_argument(source + (source == "-" ? ": the standard input cannot be read "
                                                          "several times; give a file"
                                                        : ": does not exist; check the path"));
  }
  if (entry.is_regular_file()) return add_file(entry, key);
  if (!entry.is_directory()) {
    throw std::invalid_argument(source +
                                ": is neither a file nor a folder; data are read several times, "
                                "give a regular file");
  }
  std::vector<fs::directory_entry> files;
  for (const auto& file : fs::recursive_directory_iterator(source)) {
    if (file.is_regular_file()) files.push_back(file);
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) add_file(file, key);
}

}  // namespace

std::string cache_key(const DataConfig& config, const text::TokenizerConfig& text_config) {
  KeyBuilder key;
  key.add(std::int64_t{kFormatVersion});
  DataConfig data = config;
  data.cache.clear();  // where the cache lies changes nothing in it
  key.add_config(data);
  key.add_config(text_config);
  for (const auto* sources : {&config.train, &config.validation, &config.test}) {
    for (const auto& source : *sources) add_source(source, key);
  }
  if (!text_config.model_file.empty()) add_source(text_config.model_file, key);
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
  std::error_code error;
  fs::remove_all(temporary_, error);
  fs::create_directories(temporary_, error);
  if (error) {
    throw std::runtime_error(temporary_.string() + ": cannot be made: " + error.message() +
                             "; check the folder above, its permissions and the free space");
  }
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
