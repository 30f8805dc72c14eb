#include "fastformer/text/markup.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "fastformer/base/ascii.h"
#include "fastformer/text/html_entities.h"

namespace fastformer::text {
namespace {

constexpr std::size_t kLongestTag = 1000;  // bounds the search, so that "<a <a <a" stays linear

constexpr auto kNone = std::string_view::npos;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

bool is_name(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == ':' || c == '_';
}

// The attributes of HTML that need no value.
bool is_boolean_attribute(std::string_view name) {
  static constexpr std::array<std::string_view, 28> kNames = {
      "allowfullscreen", "async", "autofocus",   "autoplay", "checked",  "compact",  "controls",
      "default",         "defer", "disabled",    "download", "hidden",   "inert",    "ismap",
      "itemscope",       "loop",  "multiple",    "muted",    "nomodule", "noshade",  "novalidate",
      "nowrap",          "open",  "playsinline", "readonly", "required", "reversed", "selected"};
  return std::ranges::find(kNames, base::ascii_lowercase(name)) != kNames.end();
}

std::size_t name_end(std::string_view text, std::size_t at) {
  while (at < text.size() && is_name(text[at])) ++at;
  return at;
}

std::size_t blanks_end(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

// Where a value ends that begins at `at`; kNone for an open quote.
std::size_t value_end(std::string_view text, std::size_t at) {
  if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
    const auto close = text.find(text[at], at + 1);
    return close == kNone ? kNone : close + 1;
  }
  while (at < text.size() && !is_blank(text[at]) && text[at] != '>') ++at;
  return at;
}

// Length of the tag at the head of `text` ('<' first), or 0 when it is only a "less than".
std::size_t tag_length(std::string_view text) {
  text = text.substr(0, kLongestTag);
  if (text.size() < 3) return 0;
  if (text[1] == '!' || text[1] == '?') {
    const auto close = text.find('>');
    return close == kNone || (!is_letter(text[2]) && text[2] != '[') ? 0 : close + 1;
  }
  std::size_t at = text[1] == '/' ? 2 : 1;
  if (!is_letter(text[at])) return 0;
  at = name_end(text, at);
  while (at < text.size()) {
    const std::size_t begin = blanks_end(text, at);
    if (begin == text.size()) return 0;
    if (text[begin] == '>') return begin + 1;
    if (text[begin] == '/') {
      at = begin + 1;
      continue;
    }
    at = name_end(text, begin);
    if (at == begin) return 0;
    const std::size_t equals = blanks_end(text, at);
    if (equals < text.size() && text[equals] == '=') {
      at = value_end(text, blanks_end(text, equals + 1));
      if (at == kNone) return 0;
    } else if (!is_boolean_attribute(text.substr(begin, at - begin))) {
      return 0;
    }
  }
  return 0;
}

std::size_t find_ignoring_case(std::string_view text, std::string_view word, std::size_t from) {
  const auto found = std::search(
      text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), word.begin(), word.end(),
      [](char a, char b) { return (is_letter(a) ? static_cast<char>(a | 0x20) : a) == b; });
  return found == text.end() ? kNone : static_cast<std::size_t>(found - text.begin());
}

// The ends that the rest of a text lacks: none is looked for twice, so that time stays linear.
struct Missing {
  bool comment = false, script = false, style = false;
};

// Where the first `end` stands, kNone once none is left.
template <class Find>
std::size_t find_once(bool& missing, Find&& find) {
  if (missing) return kNone;
  const std::size_t at = find();
  missing = at == kNone;
  return at;
}

// Length of the markup at the head of `text`, what a script, style or comment holds included; 0 for
// none.
std::size_t markup_length(std::string_view text, Missing& missing) {
  if (text.starts_with("<!--")) {
    const auto close = find_once(missing.comment, [&] { return text.find("-->", 4); });
    return close == kNone ? 4 : close + 3;
  }
  const auto length = tag_length(text);
  if (length == 0) return 0;
  const auto name = base::ascii_lowercase(text.substr(1, name_end(text, 1) - 1));
  if (name != "script" && name != "style") return length;
  const auto close = find_once(name == "script" ? missing.script : missing.style,
                               [&] { return find_ignoring_case(text, "</" + name, length); });
  if (close == kNone) return length;
  return std::min(text.find('>', close), text.size() - 1) + 1;
}

}  // namespace

std::string strip_markup(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  Missing missing;
  for (std::size_t i = 0; i < text.size();) {
    const auto rest = text.substr(i);
    if (text[i] == '<') {
      if (const auto length = markup_length(rest, missing); length > 0) {
        plain += ' ';
        i += length;
        continue;
      }
    } else if (text[i] == '&') {
      if (const auto entity = decode_entity(rest); entity.length > 0) {
        plain += entity.text;
        i += entity.length;
        continue;
      }
    }
    plain += text[i++];
  }
  return plain;
}

}  // namespace fastformer::text
