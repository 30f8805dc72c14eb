#pragma once

#include <filesystem>
#include <string>

#include "fastformer/data/pair_dataset.h"

namespace fastformer::data {

/// The names of the parts in a prepared folder, see PairSet::open; tokenizer/ and dataset.json lie
/// beside them as in dataset_cache.h.
inline constexpr const char* kTrainPart = "train";
inline constexpr const char* kValidationPart = "validation";
inline constexpr const char* kTestPart = "test";

/// As cache_key(DataConfig), for pairs.
std::string cache_key(const PairDataConfig& config, const text::TokenizerConfig& text_config);

/// dataset.json: what was left out.
void write_dataset_file(const std::filesystem::path& folder, const PairDataset& dataset);

/// Opens a prepared folder. Throws std::invalid_argument naming the file that is damaged.
PairDataset open_pair_dataset(const std::filesystem::path& folder);

}  // namespace fastformer::data
