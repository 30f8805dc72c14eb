#include "fastformer/data/click_source.h"

#include <array>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/base/suggest.h"
#include "fastformer/data/debian_clicks.h"
#include "fastformer/data/mind_clicks.h"
#include "fastformer/data/recbole_clicks.h"

namespace fastformer::data {
namespace {

struct Row {
  const char* name;
  ClickSource (*read)(const ClickDataConfig&);
};

constexpr std::array kReaders = {Row{"mind", read_mind_clicks}, Row{"recbole", read_recbole_clicks},
                                 Row{"debian", read_debian_clicks}};

const Row& row(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& row : kReaders) {
    if (name == row.name) return row;
    names.emplace_back(row.name);
  }
  throw std::invalid_argument("data.format is '" + name + "'" + base::suggestion(name, names));
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
  auto source = row(config.format).read(config);
  if (config.validation_fraction > 0 || config.test_fraction > 0) {
    auto parts =
        split_by_time(source.parts.train, config.validation_fraction, config.test_fraction);
    source.parts.train = std::move(parts.train);
    if (config.validation_fraction > 0) source.parts.validation = std::move(parts.validation);
    if (config.test_fraction > 0) source.parts.test = std::move(parts.test);
  }
  if (!config.train.empty()) check_training(source.parts.train);
  return source;
}

}  // namespace fastformer::data
