#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fastformer/text/vocabulary.h"

namespace fastformer::recommendation {

/// Numbers names from 0 in the order of their first use.
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

/// The non-empty parts, joined by spaces.
inline std::string join_words(const std::vector<std::string_view>& parts) {
  std::string joined;
  for (const auto part : parts) {
    if (part.empty()) continue;
    if (!joined.empty()) joined += ' ';
    joined += part;
  }
  return joined;
}

}  // namespace fastformer::recommendation
