#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/train/recipe.h"
#include "fastformer/train/task.h"

namespace fastformer::train {

/// The file of a run that records what its data was prepared from.
inline constexpr const char* kPreparedFile = "prepared.json";

/// The content of this file: checksums of the prepared parts; name, size and time of each source.
std::string prepared_record(const std::vector<PreparedPart>& parts,
                            const std::vector<RecipeSource>& sources);

/// Compares the prepared parts with the record of the run in `folder`: a run can only resume with
/// the vocabulary, labels and documents that it began with. Copied or touched files are accepted if
/// the prepared parts are equal. Throws std::invalid_argument naming the source that has changed.
void check_prepared(const std::filesystem::path& folder, const std::vector<PreparedPart>& parts,
                    const std::vector<RecipeSource>& sources);

/// Checksum of texts, in order.
std::uint64_t checksum_of(const std::vector<std::string>& texts);
/// Checksum of the names and bytes of parameters.
std::uint64_t checksum_of(const nn::ParameterMap& parameters);

}  // namespace fastformer::train
