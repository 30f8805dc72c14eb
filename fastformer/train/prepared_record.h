#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/text/tokenizer.h"
#include "fastformer/train/recipe.h"
#include "fastformer/train/task.h"

namespace fastformer::train {

/// The file of a run that says what it was prepared from.
inline constexpr const char* kPreparedFile = "prepared.json";

/// Its content: the checksums of what the task prepared, and name, size and time of each source.
std::string prepared_record(const std::vector<PreparedPart>& parts,
                            const std::vector<RecipeSource>& sources);

/// Compares with the record of the run `folder`: a run resumes with the vocabulary, the labels and
/// the documents that it began with, or not at all. Files may be copied and touched as long as the
/// same comes out of them. Throws std::invalid_argument naming the source that has changed.
void check_prepared(const std::filesystem::path& folder, const std::vector<PreparedPart>& parts,
                    const std::vector<RecipeSource>& sources);

/// Of all tokens in the order of their ids.
std::uint64_t checksum_of(const text::Tokenizer& tokenizer);
/// Of texts in their order.
std::uint64_t checksum_of(const std::vector<std::string>& texts);
/// Of names and bytes.
std::uint64_t checksum_of(const nn::ParameterMap& parameters);

}  // namespace fastformer::train
