#pragma once

#include <filesystem>
#include <string>

namespace fastformer::cli {

/// What a data file or folder holds, found out without a recipe: columns with types and examples,
/// which seems to be the text and which the label, classes, duplicates, encoding; and a recipe that
/// trains on it. All but the recipe are comments, so that the whole is a recipe file. Throws
/// std::invalid_argument for what no reader takes.
std::string inspect_data(const std::filesystem::path& path);

}  // namespace fastformer::cli
