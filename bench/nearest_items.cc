// Recommending from a catalogue of a million items, exactly and approximately, on one thread.
//
//   fastformer_nearest_items MODEL ITEMS [COUNT]
//
// The titles of the catalogue join halves of titles in ITEMS, a file in the format that MODEL was
// trained with; users have clicked 20 random items. Prints a table in Markdown: time to prepare the
// catalogue, peak memory so far, time of one call for one user (median, 99th percentile) and the
// share of ten items whose scores reach that of the exact tenth.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "fastformer/recommendation/item_table.h"
#include "fastformer/recommendation/readers/reader.h"
#include "fastformer/recommendation/recommender.h"

namespace {

using namespace fastformer;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double peak_gigabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1 << 20);
}

std::vector<recommendation::Item> joined_items(const recommendation::ItemTable& table,
                                               std::int64_t count) {
  std::mt19937_64 generator(1);
  std::uniform_int_distribution<std::int32_t> any(1, static_cast<std::int32_t>(table.size()) - 1);
  std::vector<recommendation::Item> items;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string first(table.title(any(generator))), second(table.title(any(generator)));
    const auto blank = second.find(' ', second.size() / 2);
    items.push_back({.id = std::to_string(i),
                     .title = first.substr(0, first.find(' ', first.size() / 2)) +
                              (blank == std::string::npos ? "" : second.substr(blank)),
                     .category = {}});
  }
  return items;
}

struct Measured {
  std::vector<double> milliseconds;
  std::vector<std::vector<double>> scores;  // of each user, highest first
};

Measured measure(const Recommender& recommender, const Catalogue& catalogue,
                 const std::vector<UserRequest>& users) {
  Measured result;
  for (const auto& user : users) {
    const auto begin = Clock::now();
    const auto found = recommender.recommend(catalogue, std::span(&user, 1), {.top = 10});
    result.milliseconds.push_back(1e3 * seconds_since(begin));
    auto& scores = result.scores.emplace_back();
    for (const auto& item : found.front().items) scores.push_back(item.score);
  }
  return result;
}

void print(const char* name, double seconds, Measured measured, const Measured& exact) {
  // Items with equal scores are equally good.
  std::int64_t found = 0, all = 0;
  for (std::size_t u = 0; u < exact.scores.size(); ++u) {
    const double least = exact.scores[u].back() - 1e-5 * std::abs(exact.scores[u].back());
    found +=
        std::ranges::count_if(measured.scores[u], [&](double score) { return score >= least; });
    all += std::ssize(exact.scores[u]);
  }
  auto& times = measured.milliseconds;
  std::ranges::sort(times);
  std::printf("| %s | %.0f | %.2f | %.2f | %.2f | %.1f %% |\n", name, seconds, peak_gigabytes(),
              times[times.size() / 2], times[times.size() * 99 / 100],
              100.0 * static_cast<double>(found) / static_cast<double>(all));
  std::fflush(stdout);
}

void run(const std::string& model, const std::string& file, std::int64_t count) {
  constexpr int kUsers = 200, kClicks = 20;
  const auto recommender = Recommender::load(model, {.threads = 1});
  recommendation::ItemTable table;
  recommendation::read_items(file, recommender.data_config(), table);
  const auto items = joined_items(table, count);
  std::mt19937_64 generator(2);
  std::vector<UserRequest> users(kUsers);
  for (auto& user : users) {
    for (int i = 0; i < kClicks; ++i) {
      user.history.push_back(items[generator() % items.size()].id);
    }
  }
  std::printf(
      "| %lld items | to prepare, s | peak, GiB | a user, ms | 99th percentile | found |\n"
      "|---|---|---|---|---|---|\n",
      static_cast<long long>(count));
  auto begin = Clock::now();
  const auto all = recommender.catalogue(items);
  const double exact_seconds = seconds_since(begin);
  const auto exact = measure(recommender, all, users);
  print("exact", exact_seconds, exact, exact);
  begin = Clock::now();
  const auto near = recommender.catalogue(items, {.approximate = true});
  const double near_seconds = seconds_since(begin);
  print("approximate", near_seconds, measure(recommender, near, users), exact);
  std::vector<double> updates;
  for (const auto& user : users) {
    begin = Clock::now();
    recommender.embed_users(near, std::span(&user.history, 1));
    updates.push_back(1e3 * seconds_since(begin));
  }
  std::ranges::sort(updates);
  std::printf("\nA user's new vector after a click: %.3f ms (median)\n",
              updates[updates.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: fastformer_nearest_items MODEL ITEMS [COUNT]\n";
    return 2;
  }
  try {
    run(argv[1], argv[2], argc > 3 ? std::atoll(argv[3]) : 1'000'000);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "nearest_items: " << error.what() << '\n';
    return 1;
  }
}
