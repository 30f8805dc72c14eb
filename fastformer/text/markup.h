#pragma once

#include <string>
#include <string_view>

namespace fastformer::text {

/// Replaces each HTML tag (`<br />`, `</p>`) and comment with a space, removes the content of
/// <script> and <style>, and decodes all character references. A '<' stays if it does not open a
/// tag, as in "a<b and c>d": the words after the name of a tag must be attributes.
std::string strip_markup(std::string_view text);

}  // namespace fastformer::text
