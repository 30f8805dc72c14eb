#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fastformer::text {

/// A decoded HTML character reference, such as "&eacute;", "&#233;" or "&#xE9;".
struct Entity {
  std::string text;
  std::size_t length = 0;  ///< bytes of the reference; 0: not a reference
};

/// Decodes the reference at the start of `text`, which must start with '&': one of the 2,125 named
/// references of HTML that end in ';' (WHATWG, section 13.5), or a number.
Entity decode_entity(std::string_view text);

}  // namespace fastformer::text
