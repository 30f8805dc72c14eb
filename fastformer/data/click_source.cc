#include "fastformer/data/click_source.h"

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/base/suggest.h"
#include "fastformer/data/debian_clicks.h"
#include "fastformer/data/mind_clicks.h"
#include "fastformer/data/recbole_clicks.h"

namespace fastformer::data {
namespace {

struct Row {
  const char* name;
  ClickSource (*read)(const ClickDataConfig&);
  void (*read_news)(const std::filesystem::path&, const ClickDataConfig&, NewsTable&);
  bool knows_earlier_parts = false;
  bool has_time = false;
};

constexpr std::array kReaders = {
    Row{.name = "mind", .read = read_mind_clicks, .read_news = read_mind_news, .has_time = true},
    Row{.name = "recbole",
        .read = read_recbole_clicks,
        .read_news = read_recbole_items,
        .knows_earlier_parts = true,
        .has_time = true},
    Row{.name = "debian",
        .read = read_debian_clicks,
        .read_news = read_debian_packages,
        .knows_earlier_parts = true}};

const Row& row(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& row : kReaders) {
    if (name == row.name) return row;
    names.emplace_back(row.name);
  }
  throw std::invalid_argument("data.format is '" + name + "'" + base::suggestion(name, names));
}

double last_time(const ImpressionLog& log) {
  double last = -std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < log.size(); ++i) last = std::max(last, log[i].time);
  return last;
}

// A model that has seen what came later measures too well.
void tell_time_travel(const ImpressionLog& earlier, const ImpressionLog& later, const char* part,
                      std::vector<std::string>& notices) {
  const double end = last_time(earlier);
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < later.size(); ++i) count += later[i].time < end ? 1 : 0;
  if (count == 0) return;
  notices.push_back(base::format(
      "time: %lld of %lld impressions of the %s part come before the training part ends, which may "
      "hold their answers",
      static_cast<long long>(count), static_cast<long long>(later.size()), part));
}

// A part whose news lie elsewhere.
void check_shown(const ImpressionLog& log, const char* part) {
  const auto& counts = log.counts();
  if (counts.candidates == 0 || counts.unknown_candidates < counts.candidates) return;
  throw std::invalid_argument(base::format(
      "none of the %lld news that the %s part shows is among the news that were read; give the "
      "file of news that belongs to these impressions",
      static_cast<long long>(counts.candidates), part));
}

void check_training(const ImpressionLog& train) {
  if (!train.labelled()) {
    throw std::invalid_argument(
        "the impressions of data.train do not say what was clicked; training needs the labels -0 "
        "and -1");
  }
  if (train.size() == 0 || train.counts().clicks == 0 ||
      train.counts().clicks == train.counts().candidates) {
    throw std::invalid_argument(
        "data.train holds " + std::to_string(train.size()) + " impressions with " +
        std::to_string(train.counts().clicks) + " clicks among " +
        std::to_string(train.counts().candidates) +
        " shown news; training needs news that were clicked and news that were not");
  }
}

}  // namespace

ClickSource read_clicks(const ClickDataConfig& config) {
  config.validate();
  if (config.train.empty() && config.validation.empty() && config.test.empty()) {
    throw std::invalid_argument(
        "data.train, data.validation and data.test are empty; name the folders with the "
        "impressions");
  }
  const auto& reader = row(config.format);
  auto source = reader.read(config);
  check_shown(source.parts.train, "training");
  check_shown(source.parts.validation, "validation");
  check_shown(source.parts.test, "test");
  if (source.news.conflicts() > 0) {
    source.notices.push_back(
        base::format("news: %lld entries repeat an id with another title; the first counts",
                     static_cast<long long>(source.news.conflicts())));
  }
  if (config.validation_fraction > 0 || config.test_fraction > 0) {
    auto parts =
        split_by_time(source.parts.train, config.validation_fraction, config.test_fraction);
    source.parts.train = std::move(parts.train);
    if (config.validation_fraction > 0) source.parts.validation = std::move(parts.validation);
    if (config.test_fraction > 0) source.parts.test = std::move(parts.test);
  }
  if (!config.train.empty()) check_training(source.parts.train);
  if (reader.has_time) {
    const auto& [train, validation, test] = source.parts;
    tell_time_travel(train, validation, "validation", source.notices);
    tell_time_travel(train, test, "test", source.notices);
  }
  return source;
}

void read_news(const std::filesystem::path& source, const ClickDataConfig& config,
               NewsTable& news) {
  row(config.format).read_news(source, config, news);
}

bool knows_earlier_parts(const std::string& format) { return row(format).knows_earlier_parts; }

}  // namespace fastformer::data
