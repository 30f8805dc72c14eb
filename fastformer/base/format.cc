#include "fastformer/base/format.h"

#include <algorithm>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <utility>

#include "fastformer/base/printable.h"

namespace fastformer::base {

std::string format(const char* pattern, ...) {
  std::va_list arguments, again;
  va_start(arguments, pattern);
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, pattern, arguments);
  va_end(arguments);
  std::string text(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  std::vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(again);
  return text;
}

namespace {

// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost one.
// Swaps count once because they are the commonest slip ("cvs" for "csv").
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, substituted});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, current);
  }
  return last[b.size()];
}

}  // namespace

std::string hexadecimal(std::uint64_t number) {
  return format("%016llx", static_cast<unsigned long long>(number));
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongest = 100;  // nobody mistypes more, and the time grows with it
  if (word.size() > kLongest) return {};
  std::string best;
  std::size_t best_distance = word.size() / 2 + 1;
  for (const auto& candidate : candidates) {
    if (candidate.size() > kLongest) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string near = nearest(word, candidates);
  if (!near.empty()) return "; did you mean '" + excerpt(near) + "'?";
  if (candidates.empty()) return {};
  constexpr std::size_t kShown = 50;
  std::string text = "; valid: ";
  for (std::size_t i = 0; i < std::min(candidates.size(), kShown); ++i) {
    if (i > 0) text += ", ";
    text += excerpt(candidates[i]);
  }
  if (candidates.size() > kShown) {
    text += " and " + std::to_string(candidates.size() - kShown) + " more";
  }
  return text;
}

}  // namespace fastformer::base
