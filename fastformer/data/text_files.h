#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace fastformer::data {

/// The files of a folder whose names end in `extension` (".txt"), in the order of their paths.
/// Throws std::invalid_argument for a folder that cannot be listed.
std::vector<std::filesystem::path> list_files(const std::filesystem::path& folder,
                                              std::string_view extension);

/// The whole text of a file that holds one document, lines joined by "\n". Throws
/// std::invalid_argument for text that is not UTF-8 or is longer than 64 MB, and what LineStream
/// throws.
std::string read_document(const std::filesystem::path& file);

}  // namespace fastformer::data
