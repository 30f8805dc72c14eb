#pragma once

#include <span>
#include <string_view>

namespace fastformer::serve {

/// A file that is part of the program.
struct Asset {
  std::string_view path;  ///< of the URL: "/app.js"
  std::string_view type, content;
};

/// The files of page/, and openapi.json.
std::span<const Asset> assets();

}  // namespace fastformer::serve
