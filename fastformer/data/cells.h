#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fastformer/text/vocabulary.h"

/// What the readers of plain tables share: cells that are never quoted, and numbers for names.
namespace fastformer::data {

/// Puts the parts of `line` between the delimiters into `cells`, whose memory serves again; an
/// empty line has one empty cell.
inline void split_cells(std::string_view line, char delimiter,
                        std::vector<std::string_view>& cells) {
  cells.clear();
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(delimiter, at), line.size());
    cells.push_back(line.substr(at, end - at));
    at = end + 1;
  }
}

/// Names by numbers from 0 in the order of their first use.
class NameNumbers {
 public:
  std::int32_t number(std::string_view name) {
    const auto found = numbers_.find(name);
    if (found != numbers_.end()) return found->second;
    const auto next = static_cast<std::int32_t>(numbers_.size());
    numbers_.emplace(std::string(name), next);
    return next;
  }
  std::int32_t size() const { return static_cast<std::int32_t>(numbers_.size()); }

 private:
  std::unordered_map<std::string, std::int32_t, text::StringHash, std::equal_to<>> numbers_;
};

/// The text with a space between every two parts that are not empty.
inline std::string join_words(const std::vector<std::string_view>& parts) {
  std::string joined;
  for (const auto part : parts) {
    if (part.empty()) continue;
    if (!joined.empty()) joined += ' ';
    joined += part;
  }
  return joined;
}

}  // namespace fastformer::data
