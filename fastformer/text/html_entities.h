#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fastformer::text {

/// A character reference of HTML: "&eacute;", "&#233;", "&#xE9;".
struct Entity {
  std::string text;
  std::size_t length = 0;  ///< bytes of the reference; 0: there is none
};

/// The reference that `text`, which begins with '&', begins with: one of the 2,125 names that HTML
/// has, or a number.
Entity decode_entity(std::string_view text);

}  // namespace fastformer::text
