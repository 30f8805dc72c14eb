#pragma once

#include <filesystem>
#include <string>

#include "fastformer/data/data_config.h"
#include "fastformer/data/dataset.h"
#include "fastformer/text/tokenizer_config.h"

namespace fastformer::data {

/// The files of a prepared data set: tokenizer/, three token sets and dataset.json, which is
/// written last.
inline constexpr const char* kTokenizerFolder = "tokenizer";
inline constexpr const char* kTrainTokens = "train.tokens";
inline constexpr const char* kValidationTokens = "validation.tokens";
inline constexpr const char* kTestTokens = "test.tokens";
inline constexpr const char* kDatasetFile = "dataset.json";

/// 16 hexadecimal digits of all that the prepared data depend on: both configurations, and name,
/// size and time of change of each source file (of each file in a source folder). Throws
/// std::invalid_argument for a source that does not exist.
std::string cache_key(const DataConfig& config, const text::TokenizerConfig& text_config);

/// dataset.json: labels and what was left out.
void write_dataset_file(const std::filesystem::path& folder, const Dataset& dataset);

/// Opens a prepared folder. Throws std::invalid_argument naming the file that is damaged.
Dataset open_dataset(const std::filesystem::path& folder);

/// A folder that appears whole or not at all: it is filled under another name, then renamed. When
/// another process was first, its folder stays, which the same key makes as good.
class FolderInTheMaking {
 public:
  explicit FolderInTheMaking(const std::filesystem::path& folder);
  FolderInTheMaking(const FolderInTheMaking&) = delete;
  FolderInTheMaking& operator=(const FolderInTheMaking&) = delete;
  ~FolderInTheMaking();

  const std::filesystem::path& path() const { return temporary_; }
  void finish();

 private:
  std::filesystem::path folder_, temporary_;
};

}  // namespace fastformer::data
