#pragma once

#include <gtest/gtest.h>
#include <malloc.h>

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

/// The least time of a few calls. Memory stays with the process, so that only the first call waits
/// for pages of the system.
template <class Use>
double least_seconds(const Use& use) {
  constexpr int kCalls = 3;
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kCalls; ++i) {
    const double start = cpu_seconds();
    use();
    least = std::min(least, cpu_seconds() - start);
  }
  return least;
}

/// Expects that an input of twice the size takes at most 2.5 times the time, on average over three
/// doublings: what is linear takes twice as long, and more where its memory outgrows a cache;
/// what grows with the square takes four times as long at each. A growth above that counts only if
/// it is also there at larger sizes, since a cache is outgrown once.
///
///   expect_linear("long word", [](std::size_t size) { return std::string(size, 'a'); },
///                 [&](const std::string& text) { use(text); });
///
/// Begins at a size whose time can be measured. `most`: the largest size that `use` accepts.
template <class Make, class Use>
void expect_linear(const std::string& name, const Make& make, const Use& use,
                   std::size_t most = std::size_t{1} << 26) {
  constexpr double kMeasurable = 0.002, kLong = 2, kMostGrowth = 2.5 * 2.5 * 2.5;
  constexpr std::size_t kFactor = 8, kMostBegin = std::size_t{1} << 18;
  constexpr int kAttempts = 4;
  const auto seconds = [&](std::size_t size) {
    const auto input = make(size);
    return least_seconds([&] { use(input); });
  };
  std::size_t size = 4096;
  while (seconds(size) < kMeasurable && size <= kMostBegin && 2 * size * kFactor <= most) size *= 2;
  std::string report = name + ":";
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const double before = seconds(size), after = seconds(kFactor * size);
    if (after <= kMostGrowth * before || after < kFactor * kMeasurable) return;
    report += " " + std::to_string(size) + " bytes take " + std::to_string(before) + " s, " +
              std::to_string(kFactor) + " times as many " + std::to_string(after) + " s;";
    if (after < kLong && 4 * size * kFactor <= most) size *= 4;
  }
  ADD_FAILURE() << report;
}

}  // namespace fastformer::testing
