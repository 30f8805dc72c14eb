#pragma once

#include <string>
#include <string_view>

namespace fastformer::text {

/// Replaces each tag (`<br />`, `</p>`) and comment by a space, drops what <script> and <style>
/// hold, and decodes all entities of HTML. A '<' that opens no tag stays, as in "a<b and c>d": the
/// words behind a tag's name must be attributes.
std::string strip_markup(std::string_view text);

}  // namespace fastformer::text
