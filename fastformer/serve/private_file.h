#pragma once

#include <filesystem>
#include <string>

namespace fastformer::serve {

/// Throws std::invalid_argument with one sentence if other users may read or write a file; `what`
/// is its content: "the tokens".
void check_private(const std::filesystem::path& file, const std::string& what);

}  // namespace fastformer::serve
