#include "fastformer/recommendation/readers/reader.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/base/out_of_memory.h"
#include "fastformer/base/registry.h"
#include "fastformer/recommendation/data_config.h"
#include "fastformer/recommendation/readers/formats.h"
#include "fastformer/recommendation/readers/names.h"

namespace fastformer::recommendation {
namespace {

base::Registry<ClickReaderRow>& readers() {
  static base::Registry<ClickReaderRow> rows(
      "data.format",
      {{.name = "mind", .read = read_mind_clicks, .read_items = read_mind_items, .has_time = true},
       {.name = "recbole",
        .read = read_recbole_clicks,
        .read_items = read_recbole_items,
        .knows_earlier_parts = true,
        .has_time = true},
       {.name = "debian",
        .read = read_debian_clicks,
        .read_items = read_debian_items,
        .knows_earlier_parts = true}});
  return rows;
}

double last_time(const ImpressionLog& log) {
  double last = -std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < log.size(); ++i) last = std::max(last, log[i].time);
  return last;
}

// Training data from after the test part would make the scores too high.
void warn_of_time_travel(const ImpressionLog& earlier, const ImpressionLog& later, const char* part,
                         std::vector<std::string>& notices) {
  const double end = last_time(earlier);
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < later.size(); ++i) count += later[i].time < end ? 1 : 0;
  if (count == 0) return;
  notices.push_back(
      base::format("time: %lld of %lld impressions of the %s part are earlier than the last "
                   "training impression, so training may have seen their clicks",
                   static_cast<long long>(count), static_cast<long long>(later.size()), part));
}

// A part whose items lie elsewhere.
void check_shown(const ImpressionLog& log, const char* part) {
  const auto& counts = log.counts();
  if (counts.candidates == 0 || counts.unknown_candidates < counts.candidates) return;
  throw std::invalid_argument(
      base::format("none of the %lld items in the %s part is in the item files; give the item file "
                   "that belongs to these impressions",
                   static_cast<long long>(counts.candidates), part));
}

void check_training(const ImpressionLog& train) {
  if (!train.labelled()) {
    throw std::invalid_argument(
        "the impressions of data.train have no labels; training needs the labels -0 and -1");
  }
  if (train.size() == 0 || train.counts().clicks == 0 ||
      train.counts().clicks == train.counts().candidates) {
    throw std::invalid_argument("data.train has " + std::to_string(train.size()) +
                                " impressions with " + std::to_string(train.counts().clicks) +
                                " clicks among " + std::to_string(train.counts().candidates) +
                                " shown items; training needs both clicked and unclicked items");
  }
}

// Checks the result of a reader, and splits off the parts that are given as fractions.
ClickSource divide(ClickSource source, const DataConfig& config, bool has_time) {
  check_shown(source.parts.train, "training");
  check_shown(source.parts.validation, "validation");
  check_shown(source.parts.test, "test");
  if (source.items.conflicts() > 0) {
    source.notices.push_back(
        base::format("items: %lld entries repeat an id with a different title; they are ignored",
                     static_cast<long long>(source.items.conflicts())));
  }
  const bool has_training = source.parts.train.size() > 0 || !config.train.empty();
  if (config.validation_fraction > 0 || config.test_fraction > 0) {
    auto parts =
        split_by_time(source.parts.train, config.validation_fraction, config.test_fraction);
    source.parts.train = std::move(parts.train);
    if (config.validation_fraction > 0) source.parts.validation = std::move(parts.validation);
    if (config.test_fraction > 0) source.parts.test = std::move(parts.test);
  }
  if (has_training) check_training(source.parts.train);
  if (has_time) {
    const auto& [train, validation, test] = source.parts;
    warn_of_time_travel(train, validation, "validation", source.notices);
    warn_of_time_travel(train, test, "test", source.notices);
  }
  return source;
}

}  // namespace

void register_click_reader(ClickReaderRow row) { readers().add(std::move(row)); }

std::vector<std::string> click_reader_names() { return readers().names(); }

ClickSource read_clicks(const DataConfig& config) {
  config.validate();
  if (config.train.empty() && config.validation.empty() && config.test.empty()) {
    throw std::invalid_argument(
        "data.train, data.validation and data.test are empty; list the folders with the "
        "impressions");
  }
  const auto& reader = readers().find(config.format);
  return base::naming_memory([] { return std::string("the impressions and items of [data]"); },
                             [&] { return divide(reader.read(config), config, reader.has_time); });
}

ClickSource clicks_of(std::span<const Item> items, std::span<const ImpressionExample> examples,
                      const DataConfig& config) {
  ClickSource source;
  for (const auto& item : items) source.items.add(item);
  source.training_items = source.items.size() - 1;
  NameNumbers users;
  auto& log = source.parts.train;
  std::int64_t unknown_history = 0, unknown_candidates = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const auto& example = examples[i];
    std::vector<std::int32_t> history;
    for (const auto& id : example.history) {
      const auto number = source.items.find(id);
      if (number == ItemTable::kUnknown) {
        ++unknown_history;
      } else {
        history.push_back(number);
      }
    }
    const auto kept = std::min(history.size(), static_cast<std::size_t>(config.history));
    history.erase(history.begin(), history.end() - static_cast<std::ptrdiff_t>(kept));
    std::vector<Candidate> candidates;
    for (const bool clicked : {true, false}) {
      for (const auto& id : clicked ? example.clicked : example.skipped) {
        const auto number = source.items.find(id);
        if (number == ItemTable::kUnknown) ++unknown_candidates;
        candidates.emplace_back(number, clicked);
      }
    }
    log.add({.id = std::to_string(i + 1),
             .user = users.number(example.user),
             .time = example.time,
             .history = {},
             .candidates = candidates},
            log.add_history(history));
  }
  log.count_unknown(unknown_history, unknown_candidates);
  return divide(std::move(source), config, /*has_time=*/true);
}

void read_items(const std::filesystem::path& source, const DataConfig& config, ItemTable& items) {
  readers().find(config.format).read_items(source, config, items);
}

bool knows_earlier_parts(const std::string& format) {
  return readers().find(format).knows_earlier_parts;
}

}  // namespace fastformer::recommendation
