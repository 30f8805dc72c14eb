#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <limits>
#include <string>
#include <string_view>

namespace fastformer::testing {

/// The text again and again, until it has `size` bytes.
inline std::string filled(std::string_view part, std::size_t size) {
  std::string text;
  text.reserve(size + part.size());
  while (text.size() < size) text += part;
  return text;
}

/// The time of the processor, not of the clock: other processes do not count.
inline double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The least time of a few calls.
template <class Use>
double least_seconds(const Use& use) {
  constexpr int kCalls = 3;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kCalls; ++i) {
    const double start = cpu_seconds();
    use();
    least = std::min(least, cpu_seconds() - start);
  }
  return least;
}

/// Expects that an input of twice the size takes at most 2.5 times the time:
///
///   expect_linear("long word", [](std::size_t size) { return std::string(size, 'a'); },
///                 [&](const std::string& text) { use(text); });
///
/// Begins at a size whose time can be measured. Memory that no longer fits into a cache makes one
/// step larger: what grows with the square is so at several sizes in a row. `most`: the largest
/// size, where what is quadratic takes long and what is linear mostly too little to be measured.
template <class Make, class Use>
void expect_linear(const std::string& name, const Make& make, const Use& use,
                   std::size_t most = std::size_t{1} << 22) {
  constexpr double kMeasurable = 0.01, kMostGrowth = 2.5;
  constexpr int kAttempts = 4;
  std::size_t size = 4096;
  const auto seconds = [&](std::size_t bytes) {
    const auto input = make(bytes);
    return least_seconds([&] { use(input); });
  };
  double before = seconds(size);
  while (before < kMeasurable && 4 * size <= most) before = seconds(size *= 2);
  std::string report = name + ":";
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (2 * size > most) before = seconds(size /= 2);
    const double after = seconds(2 * size);
    const double growth = after / before;
    if (growth <= kMostGrowth || after < kMeasurable) return;
    report += " " + std::to_string(growth) + " times the time at 2 x " + std::to_string(size) +
              " bytes (" + std::to_string(after) + " s);";
    constexpr double kLong = 1;
    if (after > kLong) continue;  // larger ones would take too long
    size *= 2;
    before = after;
  }
  ADD_FAILURE() << report;
}

}  // namespace fastformer::testing
